/** One line of what the doctor found. */

export interface Finding {
  /** `warn`: doubtful, or not set up; `fail`: broken, so that the exit code says so. */
  readonly level: 'ok' | 'warn' | 'fail';
  readonly about: string;
  readonly text: string;
}
