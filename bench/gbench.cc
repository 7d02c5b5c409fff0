/* SPDX-License-Identifier: Apache-2.0 */
#include "bench/gbench.h"

#include <benchmark/benchmark.h>

#include <cerrno>
#include <cmath>
#include <fstream>
#include <iostream>
#include <set>

struct gbench_state {
    benchmark::State *state;
};

namespace
{

/* Google Benchmark insists on a display; the table of bench/report.c takes its place. */
class SilentReporter : public benchmark::BenchmarkReporter
{
  public:
    bool ReportContext(const Context &) override
    {
        return true;
    }

    void ReportRuns(const std::vector<Run> &) override
    {
    }
};

} // namespace

bool gbench_initialize(int *argc, char **argv)
{
    benchmark::Initialize(argc, argv);
    return !benchmark::ReportUnrecognizedArguments(*argc, argv);
}

void gbench_add(const char *name, gbench_function function, void *context)
{
    auto run = [function, context](benchmark::State &state) {
        for (auto _ : state) {
            gbench_state handle = {&state};
            function(&handle, context);
        }
    };
    benchmark::RegisterBenchmark(name, run)->UseManualTime()->Iterations(1)->Unit(
        benchmark::kNanosecond);
}

void gbench_context(const char *key, const char *value)
{
    static std::set<std::string> known; /* Google Benchmark complains when it is told again */

    if (known.insert(key).second)
        benchmark::AddCustomContext(key, value);
}

size_t gbench_run(bool console)
{
    SilentReporter silent;

    return console ? benchmark::RunSpecifiedBenchmarks()
                   : benchmark::RunSpecifiedBenchmarks(&silent);
}

void gbench_report(struct gbench_state *state, double operation_ns, uint64_t operations)
{
    state->state->SetIterationTime(operation_ns * 1e-9);
    state->state->counters["operations"] = static_cast<double>(operations);
}

void gbench_counter(struct gbench_state *state, const char *name, double value)
{
    state->state->counters[name] = value;
}

void gbench_label(struct gbench_state *state, const char *text)
{
    state->state->SetLabel(text);
}

struct gbench_json {
    std::ofstream file;
    benchmark::JSONReporter reporter;
};

struct gbench_json *gbench_json_begin(const char *path, const char *program)
{
    static std::string name;
    auto *json = new gbench_json;

    errno = 0;
    json->file.open(path);
    if (!json->file) {
        if (errno == 0)
            errno = EIO;
        delete json;
        return nullptr;
    }
    name = program;
    benchmark::BenchmarkReporter::Context::executable_name = name.c_str();
    json->reporter.SetOutputStream(&json->file);
    json->reporter.SetErrorStream(&std::cerr);
    json->reporter.ReportContext(benchmark::BenchmarkReporter::Context());
    return json;
}

void gbench_json_add(struct gbench_json *json, const struct gbench_line *line,
                     const struct gbench_counter counters[], size_t count)
{
    benchmark::BenchmarkReporter::Run run;
    double iterations = line->iterations > 0 ? static_cast<double>(line->iterations) : 1;

    run.run_name.function_name = line->name;
    run.family_index = line->family;
    run.per_family_instance_index = 0;
    run.run_type = line->aggregate != nullptr ? benchmark::BenchmarkReporter::Run::RT_Aggregate
                                              : benchmark::BenchmarkReporter::Run::RT_Iteration;
    if (line->aggregate != nullptr)
        run.aggregate_name = line->aggregate;
    if (line->label != nullptr)
        run.report_label = line->label;
    run.iterations = static_cast<benchmark::IterationCount>(iterations);
    run.threads = 1;
    run.repetition_index = line->repetition;
    run.repetitions = line->repetitions;
    run.time_unit = benchmark::kNanosecond;
    run.real_accumulated_time = line->real_ns * iterations * 1e-9;
    run.cpu_accumulated_time = line->cpu_ns * iterations * 1e-9;
    for (size_t i = 0; i < count; i++) {
        if (std::isfinite(counters[i].value))
            run.counters[counters[i].name] = counters[i].value;
    }
    json->reporter.ReportRuns({run});
}

bool gbench_json_end(struct gbench_json *json)
{
    json->reporter.Finalize();
    json->file.close();
    bool is_written = !json->file.fail();
    delete json;
    return is_written;
}
