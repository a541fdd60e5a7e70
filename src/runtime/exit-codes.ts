/** How a process ended, for whoever started it. */
export const EXIT = {
  ok: 0,
  /** A service or a command failed. */
  failure: 1,
  /** The command line or a setting is wrong: starting again does not help. */
  usage: 2,
  /** `plan --exit-code`: there is something to apply. */
  difference: 3,
  /** `doctor` only, by the most urgent finding; apart from the codes of a command that itself went wrong. */
  doctorUnknown: 10,
  doctorWarning: 11,
  doctorCritical: 12,
  /** An orderly stop took longer than `shutdown.deadlineMs`. */
  deadline: 124,
  /** A second signal: stopped at once. */
  forced: 130,
} as const;

export type ExitCode = (typeof EXIT)[keyof typeof EXIT];
