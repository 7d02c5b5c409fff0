/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A device server that is only a script: one thread that answers one vfio-user client as a shmem vdev would, except for one
 * fault at a chosen place. Its registers are plain memory: no region, no status.
 *
 * Change the fields between mock_prepare() and mock_start(); read what was logged after mock_stop().
 */
#ifndef PEAL_TESTS_SUPPORT_MOCK_DEVICE_H
#define PEAL_TESTS_SUPPORT_MOCK_DEVICE_H

#include <pthread.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#define MOCK_WINDOWS 4u
#define MOCK_WINDOW_BYTES 0x100000u
#define MOCK_DATA_OFFSET 0x10000u
#define MOCK_BAR_BYTES (MOCK_WINDOWS * MOCK_WINDOW_BYTES)
#define MOCK_LOG_MAX 8192u
#define MOCK_COMMANDS 16u

/* Where the mock's configuration space has its two capabilities. */
#define MOCK_CAPABILITY_MSIX 0x40u
#define MOCK_CAPABILITY_WINDOWS 0x60u

enum mock_fault {
    MOCK_NO_FAULT,
    MOCK_ERROR,             /* an error reply */
    MOCK_END,               /* hangs up instead of an answer */
    MOCK_CUT_HEADER,        /* sends half of the header, then hangs up */
    MOCK_CUT_PAYLOAD,       /* sends all but the last byte, then hangs up */
    MOCK_SILENT,            /* never answers any more */
    MOCK_HALF_SILENT,       /* sends all but the last byte, and nothing any more */
    MOCK_LONGER,            /* says that it is 64 KiB longer than it is */
    MOCK_HUGE,              /* says that it has 4 GiB */
    MOCK_SHORTER,           /* says that it is shorter than its header */
    MOCK_NO_PAYLOAD,        /* a right reply without its payload */
    MOCK_WRONG_ID,          /* */
    MOCK_WRONG_COMMAND,     /* */
    MOCK_NOT_A_REPLY,       /* a command of its own */
    MOCK_GARBAGE,           /* bytes without sense */
    MOCK_WRONG_PLACE,       /* spoils the first word of the payload */
    MOCK_LONG_ERROR,        /* an error reply with 8 KiB behind it */
    MOCK_FAULTS,            /* -- their number; those below are no lies -- */
    MOCK_EXTRA_DESCRIPTORS, /* a right reply with eight descriptors */
    MOCK_STALL,             /* reads no more until the client's thread sleeps, then goes on */
    MOCK_DEAF,              /* reads no more until the client has hung up */
};

struct mock_write {
    uint32_t region;
    uint32_t width;
    uint64_t offset;
    uint64_t value;
    bool posted;
};

struct mock_device {
    /* What it serves; set to a right device by mock_prepare(). */
    uint16_t version_major;
    uint16_t version_minor;
    uint32_t flags; /* of the device */
    unsigned char config[256];
    uint64_t factory_bytes;
    uint64_t bar_bytes;
    uint64_t memory_bytes; /* of the file behind the BAR */
    bool without_memory;   /* no descriptor comes with the BAR */
    bool with_pipe;        /* it is a pipe */
    uint32_t area_bytes;   /* of each window, from its data on */
    uint32_t areas;        /* that the list says to have */
    uint32_t capability_offset;
    uint32_t extra_argsz; /* the description says to be so much longer than it is */
    uint32_t wrong_index; /* added to the number of the BAR that a description is of */
    uint32_t vectors;
    bool frozen_bars; /* configuration writes have no effect */

    /* The fault: at request number `fault_at` (from 0) of `fault_command`; 0: of any. */
    enum mock_fault fault;
    uint32_t fault_command;
    uint32_t fault_at;
    pid_t client; /* MOCK_STALL */

    /* Lies in replies: four bytes each, the number of the reply (from 0), a place in its header and payload (low byte first), and
     * what is XORed there. As much is sent as the header then says, unless that is more than any reply has. */
    const unsigned char *lies;
    size_t lies_bytes;

    /* A write of 4 bytes there (BAR 0) raises an interrupt at each vector, or ends the server. */
    uint64_t interrupt_offset;
    uint64_t end_offset;

    char path[100];
    int listener;
    int connection;
    int memory;
    pthread_t thread;
    bool started;
    bool faulty; /* the fault has happened */
    uint32_t asked[MOCK_COMMANDS];
    uint32_t asked_total;
    uint32_t interrupts_set;
    int interrupt[256];
    unsigned char registers[4096];
    unsigned char controls[MOCK_BAR_BYTES];
    struct mock_write log[MOCK_LOG_MAX]; /* register writes, not configuration */
    uint32_t logged;
};

void mock_prepare(struct mock_device *mock);
void mock_start(struct mock_device *mock);

/* The client has closed, or the mock has ended by its fault; waits for its thread. Ends the program if that is not so. */
void mock_stop(struct mock_device *mock);

/* The same for a test that may have failed: hangs up first. */
void mock_abandon(struct mock_device *mock);

#endif
