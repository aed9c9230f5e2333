/** Tests that install packages need the registry, or a cache that holds them all. */

/** The reason to skip where `error` says that the registry could not be reached; undefined where it is another fault. */
export function unreachable(error: unknown): string | undefined {
  const { stdout = '', stderr = '', message = '' } = error as { stdout?: string; stderr?: string; message?: string };
  const code = /\b(ENOTFOUND|EAI_AGAIN|ECONNREFUSED|ECONNRESET|ETIMEDOUT|EHOSTUNREACH|ENETUNREACH|ENOTCACHED)\b/.exec(
    `${stdout}${stderr}${message}`,
  );
  return code === null ? undefined : `npm ci cannot reach the registry (${code[1]})`;
}
