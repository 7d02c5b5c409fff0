/* SPDX-License-Identifier: Apache-2.0 */
#include "bench/gbench.h"

#include <benchmark/benchmark.h>

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
