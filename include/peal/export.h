/* SPDX-License-Identifier: Apache-2.0 */
#ifndef PEAL_EXPORT_H
#define PEAL_EXPORT_H

/* Marks the functions that libpeal exports; everything else is compiled with hidden visibility. */
#if defined(__GNUC__)
#define PEAL_API __attribute__((visibility("default")))
#define PEAL_PRINTF(format_index, first_argument)                                                  \
    __attribute__((format(printf, format_index, first_argument)))
#else
#define PEAL_API
#define PEAL_PRINTF(format_index, first_argument)
#endif

#ifdef __cplusplus
#define PEAL_BEGIN_DECLS extern "C" {
#define PEAL_END_DECLS }
#else
#define PEAL_BEGIN_DECLS
#define PEAL_END_DECLS
#endif

#endif
