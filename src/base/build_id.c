/* Finds the build-id note among the program's own headers. */
#include "config.h"

#include "base/build_id.h"

#include <stdio.h>
#include <string.h>

#ifdef __APPLE__
#include <mach-o/dyld.h>
#include <mach-o/loader.h>

/* The linker's UUID among the program's load commands. */
static void search(char out[BUILD_ID_TEXT_MAX])
{
    const struct mach_header_64 *header = (const void *)_dyld_get_image_header(0);
    const char *at = (const char *)(header + 1);
    for (uint32_t i = 0; i < header->ncmds; i++) {
        struct load_command command;
        memcpy(&command, at, sizeof command);
        if (command.cmd == LC_UUID) {
            struct uuid_command uuid;
            memcpy(&uuid, at, sizeof uuid);
            for (size_t byte = 0; byte < sizeof uuid.uuid; byte++)
                snprintf(out + 2 * byte, 3, "%02x", uuid.uuid[byte]);
            return;
        }
        at += command.cmdsize;
    }
}
#else
#include <link.h>

/* One segment of notes: each is a name and a description, padded to 4 bytes. */
static int search_notes(const char *at, size_t bytes, char *out)
{
    while (bytes >= sizeof(ElfW(Nhdr))) {
        ElfW(Nhdr) head;
        memcpy(&head, at, sizeof head);
        size_t name_bytes = (head.n_namesz + 3u) & ~(size_t)3;
        size_t id_bytes = (head.n_descsz + 3u) & ~(size_t)3;
        size_t whole = sizeof head + name_bytes + id_bytes;
        if (whole > bytes)
            return 0;
        const char *name = at + sizeof head;
        const unsigned char *id = (const unsigned char *)name + name_bytes;
        if (head.n_type == NT_GNU_BUILD_ID && head.n_namesz == 4 && memcmp(name, "GNU", 4) == 0 &&
            2 * head.n_descsz < BUILD_ID_TEXT_MAX) {
            for (size_t i = 0; i < head.n_descsz; i++)
                snprintf(out + 2 * i, 3, "%02x", id[i]);
            return 1;
        }
        at += whole;
        bytes -= whole;
    }
    return 0;
}

/* Called for the main program first; the answer ends the walk. */
static int search_program(struct dl_phdr_info *info, size_t size, void *out)
{
    (void)size;
    for (int i = 0; i < info->dlpi_phnum; i++) {
        const ElfW(Phdr) *segment = &info->dlpi_phdr[i];
        if (segment->p_type != PT_NOTE)
            continue;
        const char *notes = (const char *)(info->dlpi_addr + segment->p_vaddr);
        if (search_notes(notes, segment->p_memsz, out))
            return 1;
    }
    return 1;
}

static void search(char out[BUILD_ID_TEXT_MAX])
{
    dl_iterate_phdr(search_program, out);
}
#endif

void build_id_text(char out[BUILD_ID_TEXT_MAX])
{
    snprintf(out, BUILD_ID_TEXT_MAX, "unknown");
    search(out);
}
