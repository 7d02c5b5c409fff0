/* SPDX-License-Identifier: Apache-2.0 */
#include "tools/peal/kit/option.h"

#include "tests/unit/tools/peal/capture.h"
#include "tools/peal/kit/exit_code.h"

#include <string.h>

#define WORDS_MAX 16

static struct {
    bool all;
    bool brief;
    const char *file;
    uint64_t count;
    uint64_t number;
    uint64_t bytes;
    uint64_t wait_ns;
    double rate_hz;
    unsigned color;
} given;

static const struct option_entry own[] = {
    {.name = "all", .letter = 'a', .help = "every one", .read = option_switch, .to = &given.all},
    {.name = "count",
     .letter = 'n',
     .value = "N",
     .help = "so many",
     .read = option_count,
     .to = &given.count},
    {.name = "number",
     .value = "N",
     .help = "so many, or none",
     .read = option_number,
     .to = &given.number},
    {.name = "bytes",
     .value = "SIZE",
     .help = "so large",
     .read = option_bytes,
     .to = &given.bytes},
    {.name = "wait",
     .value = "TIME",
     .help = "so long",
     .read = option_duration,
     .to = &given.wait_ns},
    {.name = "rate",
     .letter = 'r',
     .value = "HZ",
     .help = "so fast",
     .read = option_rate,
     .to = &given.rate_hz},
    {0},
};

static const struct option_entry shared[] = {
    {.name = "brief", .letter = 'b', .help = "less", .read = option_switch, .to = &given.brief},
    {.name = "file",
     .letter = 'f',
     .value = "FILE",
     .help = "from there",
     .read = option_text,
     .to = &given.file},
    {.name = "color",
     .value = "WHEN",
     .help = "or not",
     .choices = "auto always never",
     .to = &given.color},
    {0},
};

static char words[WORDS_MAX][32];
static char *argv[WORDS_MAX + 1];
static size_t operands;

/* Parses a line whose words have single spaces between; "" is written as ''. */
static int parse(const char *line)
{
    static const struct option_entry *const tables[] = {own, shared, NULL};
    size_t argc = 0;
    memset(&given, 0, sizeof(given));
    while (*line != '\0' && argc < WORDS_MAX) {
        const size_t length = strcspn(line, " ");
        (void)snprintf(words[argc], sizeof(words[argc]), "%.*s", (int)length, line);
        if (strcmp(words[argc], "''") == 0)
            words[argc][0] = '\0';
        argv[argc] = words[argc];
        argc++;
        line += length + (line[length] == ' ');
    }
    return option_parse(tables, 3, argv, argc, &operands);
}

static void assert_refused(const char *line, const char *why)
{
    capture_begin(STDERR_FILENO);
    const int code = parse(line);
    const char *said = capture_end();
    assert_int_equal(code, EXIT_USAGE);
    if (!strstr(said, why))
        fail_msg("'%s' was refused with: %s", line, said);
    assert_ptr_equal(strchr(said, '\n'), said + strlen(said) - 1);
}

static void options_stand_before_between_and_after_operands(void **state)
{
    (void)state;
    assert_int_equal(parse("-a one --count 5 two --file x"), EXIT_DONE);
    assert_true(given.all && given.count == 5 && !given.brief);
    assert_string_equal(given.file, "x");
    assert_int_equal(operands, 2);
    assert_string_equal(argv[0], "one");
    assert_string_equal(argv[1], "two");
}

static void a_value_follows_or_is_attached(void **state)
{
    static const char *const lines[] = {"-n 5", "-n5", "--count 5", "--count=5", "-abn5", "-an 5"};
    (void)state;
    for (size_t i = 0; i < sizeof(lines) / sizeof(lines[0]); i++) {
        assert_int_equal(parse(lines[i]), EXIT_DONE);
        assert_int_equal(given.count, 5);
        assert_int_equal(operands, 0);
    }
    assert_int_equal(parse("-f -a"), EXIT_DONE); /* a value may look like an option */
    assert_string_equal(given.file, "-a");
    assert_int_equal(parse("--file=a=b"), EXIT_DONE);
    assert_string_equal(given.file, "a=b");
}

static void two_dashes_end_the_options_and_one_is_an_operand(void **state)
{
    (void)state;
    assert_int_equal(parse("- -- -a --count --"), EXIT_DONE);
    assert_false(given.all);
    assert_int_equal(operands, 4);
    assert_string_equal(argv[0], "-");
    assert_string_equal(argv[1], "-a");
    assert_string_equal(argv[3], "--");
}

static void every_kind_of_value_is_read(void **state)
{
    (void)state;
    assert_int_equal(parse("--number 0 --bytes 64K --wait 1.5ms --rate 0.5 --color never"),
                     EXIT_DONE);
    assert_int_equal(given.number, 0);
    assert_int_equal(given.bytes, 65536);
    assert_int_equal(given.wait_ns, 1500000);
    assert_true(given.rate_hz > 0.49 && given.rate_hz < 0.51);
    assert_int_equal(given.color, 2);
}

static void what_cannot_be_is_told_in_one_line(void **state)
{
    (void)state;
    assert_refused("--frob", "there is no option '--frob'");
    assert_refused("-x", "there is no option '-x'");
    assert_refused("-ax", "there is no option '-x'");
    assert_refused("--all=yes", "--all takes no value");
    assert_refused("one --count", "--count needs a value: N");
    assert_refused("-n", "-n needs a value: N");
    assert_refused("--count 0", "--count wants a whole number from 1 on, not '0'");
    assert_refused("-nx", "--count wants a whole number from 1 on, not 'x'");
    assert_refused("--number -1", "--number wants a whole number, not '-1'");
    assert_refused("--bytes 0", "--bytes wants a size");
    assert_refused("--wait 0", "--wait wants a time");
    assert_refused("--rate 0", "--rate wants a number of Hz");
    assert_refused("--file ''", "--file wants a text");
    assert_refused("--color sometimes", "--color is one of: auto always never; not 'sometimes'");
    assert_refused("--color ''", "--color is one of");
    assert_refused("--color alway", "--color is one of");
}

static void a_line_on_each_option_helps(void **state)
{
    (void)state;
    capture_begin(STDOUT_FILENO);
    option_print(own);
    option_print(shared);
    const char *said = capture_end();
    assert_non_null(strstr(said, "-n, --count N"));
    assert_non_null(strstr(said, "    --number N"));
    assert_non_null(strstr(said, "or not: auto always never\n"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(options_stand_before_between_and_after_operands),
        cmocka_unit_test(a_value_follows_or_is_attached),
        cmocka_unit_test(two_dashes_end_the_options_and_one_is_an_operand),
        cmocka_unit_test(every_kind_of_value_is_read),
        cmocka_unit_test(what_cannot_be_is_told_in_one_line),
        cmocka_unit_test(a_line_on_each_option_helps),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
