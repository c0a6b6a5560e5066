/** The process's exit codes; 2 and 78 as sysexits and shells have them. */
export const EXIT_OK = 0
export const EXIT_RUNTIME = 1
export const EXIT_USAGE = 2
export const EXIT_CONFIG = 78
