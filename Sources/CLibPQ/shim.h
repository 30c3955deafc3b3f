// libpq's public API, and what Glibc's Swift module leaves out or imports awkwardly.
#include <libpq-fe.h>
#include <sys/eventfd.h>

// A descriptor that wakes a poll: never blocks, not inherited by child processes.
static inline int writ_eventfd(void) { return eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK); }

// The fields of an error report; the header has them as character macros, which Swift does not import.
static const int writ_diag_severity = PG_DIAG_SEVERITY_NONLOCALIZED;
static const int writ_diag_sqlstate = PG_DIAG_SQLSTATE;
static const int writ_diag_message = PG_DIAG_MESSAGE_PRIMARY;
static const int writ_diag_hint = PG_DIAG_MESSAGE_HINT;
static const int writ_diag_schema = PG_DIAG_SCHEMA_NAME;
static const int writ_diag_table = PG_DIAG_TABLE_NAME;
static const int writ_diag_column = PG_DIAG_COLUMN_NAME;
static const int writ_diag_constraint = PG_DIAG_CONSTRAINT_NAME;
static const int writ_diag_function = PG_DIAG_SOURCE_FUNCTION;
