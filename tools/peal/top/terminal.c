/* SPDX-License-Identifier: Apache-2.0 */
#include "tools/peal/top/terminal.h"

#include <unistd.h>

#include <curses.h>
#include <term.h>

bool terminal_can_draw(void)
{
    int error = 0;
    if (setupterm(NULL, STDOUT_FILENO, &error) == ERR)
        return false;
    const bool can = cursor_address != NULL;
    (void)del_curterm(cur_term);
    return can;
}
