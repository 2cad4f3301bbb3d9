#pragma once

/*
 * Slab: the memory of objects of one size, in pages that children do not get.
 *
 * A fork copies the tables of all other pages, and the manager copies each one that it writes while
 * a child has it, so that the time of a start would grow with the number of objects. Objects stand
 * close to each other; a block of them is given back to the system with its last object.
 */

#include <stddef.h>

typedef struct SlabBlock SlabBlock;

typedef struct Slab {
        SlabBlock *with_room;
} Slab;

#define SLAB_NULL ((Slab){0})

/* Returns zeros, or NULL without memory. `size` is the same in each call for a slab, and at most
 * half of 64 KiB. */
void *slab_allocate(Slab *slab, size_t size);

/* Accepts NULL. A slab without objects owns no memory. */
void slab_release(void *object);
