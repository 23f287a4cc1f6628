/* SPDX-License-Identifier: Apache-2.0 */
/*
 * libFuzzer target of the plugins `command`: what a client printed, and templates. The first byte
 * chooses which; the rest is the text.
 */
#include "wrapper.h"

#include "../../plugins/shared/json_file.c"
#include "../../plugins/shared/regular_file.c"
#include "../../plugins/shared/signals.c"
#include "../../plugins/shared/template.c"
#include "../../plugins/workloads/command/client.c"
#include "../../plugins/workloads/command/command.c"
#include "../../plugins/workloads/command/result.c"

static void read_result(int kind, const uint8_t *data, size_t size)
{
    struct state state = {
        .result = kind,
        .result_path = "runs.0.rate",
        .result_pattern = "rate:? *([^ ]*)",
        .result_scale = 1,
        .result_metric = 1,
    };
    struct bench_result result = {0};
    struct bench_error err = {0};
    char path[32];
    int fd = fuzz_file(data, size, path);
    struct bench_leftovers left = {
        .size = sizeof(left), .client_stdout = path, .client_stderr = "stderr"};

    if (parse(&state, &left, &result, &err) == 0) {
        if (result.n_totals != 1 || !isfinite(result.totals[0].value) ||
            result.totals[0].value <= 0)
            abort();
    } else if (!err.message[0]) {
        abort();
    }
    result_release(&result);
    close(fd);
}

static void expand(bool arguments, const uint8_t *data, size_t size)
{
    struct template t = {.host = host_get()};
    cleanup_free char *text = xstrndup((const char *)data, size);
    struct bench_error err = {0};
    struct bench_process p;
    int result;

    process_init(&p, NULL, NULL);
    template_set(&t, "port", "%d", 80);
    template_set(&t, "directory", "/a b/'c'");
    result = arguments ? template_arguments(&t, "o", text, &p, &err)
                       : template_file(&t, "o", text, "f", &p, &err);
    if (result == 0 ? arguments && p.argv.count == 0 : !err.message[0])
        abort();
    template_uses(text, "port");
    template_release(&t);
    process_release(&p);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    int kind = size ? data[0] % 5 : 0;

    if (size == 0)
        return 0;
    bench_plugin_get(host_get());
    if (kind < 3)
        read_result(RESULT_JSON + kind, data + 1, size - 1);
    else
        expand(kind == 3, data + 1, size - 1);
    return 0;
}
