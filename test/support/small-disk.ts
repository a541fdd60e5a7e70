/** A file system of its own, small enough to be filled: only root may make one. */
import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

export const DISK_MB = 1_000;

export class SmallDisk implements Disposable {
  readonly folder = mkdtempSync(join(tmpdir(), 'anchorline-disk-'));
  readonly isSmall: boolean;
  readonly #ballast = join(this.folder, 'ballast');

  constructor() {
    this.isSmall = process.getuid?.() === 0 && mounts(this.folder);
  }

  fill(): void {
    try {
      writeFileSync(this.#ballast, Buffer.alloc(DISK_MB * 1024 * 1024, 1));
    } catch (error) {
      // All that there was.
      if ((error as NodeJS.ErrnoException).code !== 'ENOSPC') throw error;
    }
  }

  free(): void {
    rmSync(this.#ballast, { force: true });
  }

  [Symbol.dispose](): void {
    if (this.isSmall) execFileSync('umount', ['-l', this.folder]);
    rmSync(this.folder, { recursive: true, force: true });
  }
}

function mounts(folder: string): boolean {
  try {
    execFileSync('mount', ['-t', 'tmpfs', '-o', `size=${DISK_MB}m,mode=755`, 'tmpfs', folder], {
      stdio: 'ignore',
    });
    return true;
  } catch {
    return false;
  }
}
