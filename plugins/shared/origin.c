/* SPDX-License-Identifier: Apache-2.0 */
#include "shared/origin.h"

#include <string.h>
#include <unistd.h>

#include "shared/wrapper.h"

void origin_payload(struct bench_process *p, int64_t size)
{
    host->file(p, ORIGIN_PAYLOAD, "%*s", (int)size, "");
}

void origin_url(struct bench_process *p, const struct bench_address *at)
{
    host->argument(p, strchr(at->host, ':') ? "http://[%s]:%u/%s" : "http://%s:%u/%s", at->host,
                   at->port, ORIGIN_PAYLOAD);
}

static void write_http(struct bench_process *p, const struct bench_role *role)
{
    /* Every path that nginx would else take from the system lies in its own directory. The default
     * of a thousand requests per connection would make a load generator connect anew. */
    host->file(p, "nginx.conf",
               "http {\n"
               "    access_log off;\n"
               "    client_body_temp_path temp;\n"
               "    proxy_temp_path temp;\n"
               "    fastcgi_temp_path temp;\n"
               "    uwsgi_temp_path temp;\n"
               "    scgi_temp_path temp;\n"
               "    default_type application/octet-stream;\n"
               "    sendfile on;\n"
               "    keepalive_requests 1000000000;\n"
               "    keepalive_timeout 1h;\n"
               "    open_file_cache max=16 inactive=1h;\n"
               "    open_file_cache_valid 1h;\n"
               "    server {\n");
    host->file(p, "nginx.conf",
               strchr(role->listen.host, ':') ? "        listen [%s]:%u backlog=%lld;\n"
                                              : "        listen %s:%u backlog=%lld;\n",
               role->listen.host, role->listen.port,
               (long long)(role->jobs > 511 ? role->jobs : 511));
    host->file(p, "nginx.conf",
               "        root .;\n"
               "    }\n"
               "}\n");
}

void origin_describe(struct bench_process *p, const struct bench_role *role, int64_t workers,
                     int64_t size)
{
    const long long connections = 2 * role->jobs + 512;

    host->argument(p, "nginx");
    /* Its working directory, by a name that holds nothing which nginx would take for a variable. */
    host->argument(p, "-p");
    host->argument(p, "./");
    host->argument(p, "-c");
    host->argument(p, "nginx.conf");
    host->file(p, "nginx.conf", "# origin server, written by bench\n");
    /* Workers that gave root up could not read the payload where the run is kept. */
    if (geteuid() == 0)
        host->file(p, "nginx.conf", "user root root;\n");
    host->file(p, "nginx.conf",
               "daemon off;\n"
               "master_process on;\n"
               "worker_processes %lld;\n"
               "worker_rlimit_nofile %lld;\n"
               "error_log stderr notice;\n"
               "pid nginx.pid;\n"
               "lock_file nginx.lock;\n"
               "events {\n"
               "    worker_connections %lld;\n"
               "}\n",
               (long long)workers, 2 * connections + 64, connections);
    write_http(p, role);
    host->directory(p, "temp");
    origin_payload(p, size);
    host->listens(p, role->listen.port);
}
