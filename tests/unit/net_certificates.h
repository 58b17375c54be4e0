/* Certificates for tests of the network, made anew for each test process, in a folder of its own. */
#ifndef CAPSTAN_TESTS_NET_CERTIFICATES_H
#define CAPSTAN_TESTS_NET_CERTIFICATES_H

enum { CERTIFICATE_PATH_MAX = 128 };

/* The folder, removed when the process ends. Made at the first call. */
const char *certificates_folder(void);

/* Paths of PEM files in it. The authority signed all but `stranger`, which an authority signed that is in
 * no file. Each of the others holds certificate and key. */
struct certificates {
    char authority[CERTIFICATE_PATH_MAX];
    char other_authority[CERTIFICATE_PATH_MAX]; /* signed nothing */
    char good[CERTIFICATE_PATH_MAX];            /* localhost, 127.0.0.1, ::1 */
    char expired[CERTIFICATE_PATH_MAX];         /* the same, until an hour ago */
    char wrong_host[CERTIFICATE_PATH_MAX];      /* elsewhere.example */
    char stranger[CERTIFICATE_PATH_MAX];
};

/* Made at the first call. */
const struct certificates *certificates(void);

#endif
