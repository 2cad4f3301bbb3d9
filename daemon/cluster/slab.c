#include "daemon/cluster/slab.h"

#include <sys/mman.h>

#include <stdalign.h>
#include <string.h>

#define SLAB_BLOCK_SIZE ((size_t)64 * 1024)

/* In front of each object. */
typedef struct Slot {
        alignas(max_align_t) SlabBlock *block;
        struct Slot *next; /* without an object */
} Slot;

struct SlabBlock {
        Slab *slab;
        SlabBlock *next, *previous; /* with room */
        Slot *free;
        size_t n_used, slot_size;
};

static void link_block(SlabBlock *block)
{
        block->previous = NULL;
        block->next = block->slab->with_room;
        if (block->next)
                block->next->previous = block;
        block->slab->with_room = block;
}

static void unlink_block(SlabBlock *block)
{
        if (block->previous)
                block->previous->next = block->next;
        else
                block->slab->with_room = block->next;
        if (block->next)
                block->next->previous = block->previous;
}

static void add_free(SlabBlock *block, Slot *slot)
{
        *slot = (Slot){.block = block, .next = block->free};
        block->free = slot;
}

static size_t round_up(size_t size, size_t alignment)
{
        return (size + alignment - 1) / alignment * alignment;
}

static SlabBlock *add_block(Slab *slab, size_t size)
{
        char *pages = mmap(
                NULL, SLAB_BLOCK_SIZE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
        SlabBlock *block = (SlabBlock *)(void *)pages;
        size_t slot_size = sizeof(Slot) + round_up(size, alignof(Slot));

        if (pages == MAP_FAILED)
                return NULL;
        (void)madvise(pages, SLAB_BLOCK_SIZE, MADV_DONTFORK);
        *block = (SlabBlock){.slab = slab, .slot_size = slot_size};
        for (size_t end = SLAB_BLOCK_SIZE; end >= sizeof(*block) + slot_size; end -= slot_size)
                add_free(block, (Slot *)(void *)(pages + end - slot_size));
        link_block(block);
        return block;
}

void *slab_allocate(Slab *slab, size_t size)
{
        SlabBlock *block = slab->with_room ? slab->with_room : add_block(slab, size);
        Slot *slot;

        if (!block)
                return NULL;
        slot = block->free;
        block->free = slot->next;
        block->n_used++;
        if (!block->free)
                unlink_block(block);
        return memset(slot + 1, 0, size);
}

void slab_release(void *object)
{
        SlabBlock *block;
        Slot *slot;

        if (!object)
                return;
        slot = (Slot *)object - 1;
        block = slot->block;
        if (!block->free)
                link_block(block);
        add_free(block, slot);
        if (--block->n_used > 0)
                return;
        unlink_block(block);
        (void)munmap(block, SLAB_BLOCK_SIZE);
}
