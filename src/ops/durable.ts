/** What makes a file outlive a power cut: not only its content has to be on disk, but also its name in its folder. */
import { open } from 'node:fs/promises';

/** Resolves when the names in the folder are on disk, as fsync(2) demands for files that were made, renamed or removed. */
export async function syncFolder(folder: string): Promise<void> {
  const handle = await open(folder, 'r');
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
}

/** For `catch`: undefined where the system said just this (`ENOENT`), anything else is thrown on. */
export function unlessCode(code: string): (error: unknown) => undefined {
  return error => {
    if ((error as NodeJS.ErrnoException).code !== code) throw error;
    return undefined;
  };
}
