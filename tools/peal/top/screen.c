/* SPDX-License-Identifier: Apache-2.0 */
#include "tools/peal/top/screen.h"

#include "tools/peal/kit/fail.h"
#include "tools/peal/kit/stop.h"
#include "tools/peal/top/state.h"
#include "tools/peal/top/terminal.h"

#include <curses.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <unistd.h>

static SCREEN *screen;
static sigset_t mask_while_waiting;
static bool input_has_ended;

static void ask_to_stop(int number)
{
    (void)number;
    stop_request();
}

/* A new size is told while we wait and at no other time, so that none comes unseen between the look for it and the wait. */
static void begin_signals(void)
{
    sigset_t resized;
    struct sigaction action = {.sa_handler = ask_to_stop};
    (void)sigemptyset(&resized);
    (void)sigaddset(&resized, SIGWINCH);
    (void)sigprocmask(SIG_BLOCK, &resized, &mask_while_waiting);
    (void)sigemptyset(&action.sa_mask);
    (void)sigaction(SIGQUIT, &action, NULL); /* Ctrl-\ is no reason to leave the terminal spoilt */
}

static void begin_colors(void)
{
    static const short colors[] = {[PAINT_RED] = COLOR_RED,
                                   [PAINT_GREEN] = COLOR_GREEN,
                                   [PAINT_YELLOW] = COLOR_YELLOW,
                                   [PAINT_CYAN] = COLOR_CYAN};
    if (!has_colors() || start_color() == ERR)
        return;
    /* The terminal's own background, where it can be asked for. */
    const short background = use_default_colors() == OK ? -1 : COLOR_BLACK;
    for (short i = PAINT_RED; i <= PAINT_CYAN; i++)
        (void)init_pair(i, colors[i], background);
}

static const char *terminal_name(void)
{
    const char *name = getenv("TERM");
    return name && name[0] != '\0' ? name : "(not set)";
}

int screen_begin(void)
{
    if (isatty(STDIN_FILENO) != 1 || isatty(STDOUT_FILENO) != 1)
        return fail(EXIT_USAGE, "needs a terminal; peal top --batch prints without one");
    if (!terminal_can_draw())
        return fail(EXIT_USAGE,
                    "cannot draw on a terminal of the kind TERM=%s; set TERM, for example to "
                    "xterm, or use peal top --batch",
                    terminal_name());
    screen = newterm(NULL, stdout, stdin);
    if (!screen)
        return fail(EXIT_FAILED, "cannot draw on the terminal");
    (void)atexit(screen_end);
    begin_signals();
    (void)cbreak();
    (void)noecho();
    (void)nonl();
    (void)intrflush(stdscr, FALSE);
    (void)keypad(stdscr, TRUE);
    (void)nodelay(stdscr, TRUE);
    (void)set_escdelay(25);
    (void)curs_set(0);
    if (paint(PAINT_RED)[0] != '\0') /* colour is wanted */
        begin_colors();
    return EXIT_DONE;
}

void screen_end(void)
{
    if (!screen)
        return;
    (void)endwin();
    delscreen(screen);
    screen = NULL;
}

void screen_size(int *width, int *height)
{
    getmaxyx(stdscr, *height, *width);
}

/* ---- out ---- */

static attr_t attributes_of(unsigned style)
{
    attr_t attributes = A_NORMAL;
    const unsigned paint_of = style & TOP_PAINT_MASK;
    if (style & TOP_REVERSE)
        attributes |= A_REVERSE;
    if ((style & TOP_STRONG) || paint_of == PAINT_BOLD)
        attributes |= A_BOLD;
    if (paint_of == PAINT_DIM && !(style & TOP_REVERSE))
        attributes |= A_DIM;
    return attributes;
}

static void use_style(unsigned style)
{
    const unsigned paint_of = style & TOP_PAINT_MASK;
    /* A pair that was never made is white on black, on any terminal. */
    const bool colored = paint_of >= PAINT_RED && paint(PAINT_RED)[0] != '\0' && has_colors();
    (void)attr_set(attributes_of(style), (short)(colored ? paint_of : 0), NULL);
}

static void show_line(const struct top_page *page, int number)
{
    const struct top_line *line = &page->lines[number];
    (void)move(number, 0);
    for (size_t i = 0; i < line->piece_count; i++) {
        use_style(line->pieces[i].style);
        (void)addnstr(line->text + line->pieces[i].from, (int)line->pieces[i].bytes);
    }
    use_style(line->style);
    if (line->columns >= page->width)
        return; /* the cursor is on the next line */
    if (line->style & TOP_REVERSE)
        for (int i = line->columns; i < page->width; i++)
            (void)addch(' ');
    else
        (void)clrtoeol();
}

void screen_show(const struct top_page *page)
{
    (void)erase();
    for (int i = 0; i < page->height; i++)
        show_line(page, i);
    (void)refresh();
}

/* ---- in ---- */

static uint32_t function_key(wint_t key)
{
    switch (key) {
    case KEY_UP:
        return TOP_KEY_UP;
    case KEY_DOWN:
        return TOP_KEY_DOWN;
    case KEY_LEFT:
        return TOP_KEY_LEFT;
    case KEY_RIGHT:
        return TOP_KEY_RIGHT;
    case KEY_PPAGE:
        return TOP_KEY_PAGE_UP;
    case KEY_NPAGE:
        return TOP_KEY_PAGE_DOWN;
    case KEY_HOME:
        return TOP_KEY_HOME;
    case KEY_END:
        return TOP_KEY_END;
    case KEY_BACKSPACE:
        return TOP_KEY_BACKSPACE;
    case KEY_ENTER:
        return TOP_KEY_ENTER;
    default:
        return TOP_KEY_RESIZE; /* of no meaning: the page is drawn anew */
    }
}

uint32_t screen_key(void)
{
    wint_t key = 0;
    const int kind = get_wch(&key);
    if (kind == KEY_CODE_YES)
        return function_key(key);
    if (kind == ERR)
        return input_has_ended ? TOP_KEY_GONE : TOP_KEY_NONE;
    if (key == '\r')
        return TOP_KEY_ENTER;
    return key == 0x7f || key == '\b' ? TOP_KEY_BACKSPACE : (uint32_t)key;
}

void screen_wait(uint64_t deadline_ns)
{
    struct pollfd wait[2] = {{.fd = STDIN_FILENO, .events = POLLIN},
                             {.fd = stop_fd(), .events = POLLIN}};
    const uint64_t now_ns = clock_now_ns();
    const uint64_t left_ns = deadline_ns > now_ns ? deadline_ns - now_ns : 0;
    const struct timespec left = {.tv_sec = (time_t)(left_ns / NS_PER_S),
                                  .tv_nsec = (long)(left_ns % NS_PER_S)};
    if (ppoll(wait, 2, &left, &mask_while_waiting) > 0 &&
        (wait[0].revents & (POLLHUP | POLLERR | POLLNVAL)))
        input_has_ended = true;
}
