/* capstan version: the version and what it was built with. */
#include "config.h"

#include <cjson/cJSON.h>
#include <curl/curl.h>
#include <http_parser.h>
#include <openssl/crypto.h>
#include <sqlite3.h>
#include <stdio.h>
#include <wslay/wslay.h>
#include <xxhash.h>
#include <yaml.h>
#include <zlib.h>
#include <zstd.h>

#include "base/build_id.h"
#include "cmd/cmd.h"

int cmd_version(int argc, char **argv)
{
    static const struct cmd_usage usage = {
        .name = "version",
        .arguments = "",
        .opening = "Print the version and what it was built with.\n",
    };
    struct cmd_arguments arguments;
    int status = cmd_parse(&usage, argc, argv, &arguments);
    if (status != CMD_CONTINUE)
        return status;
    char build_id[BUILD_ID_TEXT_MAX];
    build_id_text(build_id);
    printf("capstan %s, build %s\n", PACKAGE_VERSION, build_id);
    int major, minor, patch;
    yaml_get_version(&major, &minor, &patch);
    printf("compiler %s\n", __VERSION__);
    printf("zstd %s, xxhash %u, zlib %s, sqlite %s, libyaml %d.%d.%d, cJSON %s\n",
           ZSTD_versionString(), XXH_versionNumber(), zlibVersion(), sqlite3_libversion(), major,
           minor, patch, cJSON_Version());
    unsigned long parser = http_parser_version();
    printf("libcurl %s, openssl %s, wslay %s, http-parser %lu.%lu.%lu\n",
           curl_version_info(CURLVERSION_NOW)->version, OpenSSL_version(OPENSSL_VERSION_STRING),
           WSLAY_VERSION, parser >> 16, parser >> 8 & 0xff, parser & 0xff);
    return ERROR_NONE;
}
