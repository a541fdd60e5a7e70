/** Resident memory of the stack's processes, where the system tells (Linux). */
import { readFile } from 'node:fs/promises';
import type { Component, StackConfig } from '../stack/config.ts';
import { stackStatus } from '../stack/stack.ts';

export interface ComponentMemory {
  readonly component: Component;
  readonly rssBytes: number;
}

/** Components whose memory could be read; Postgres counts its main process only. */
export async function stackMemory(config: StackConfig): Promise<readonly ComponentMemory[]> {
  const found: ComponentMemory[] = [];
  for (const { component, pid } of await stackStatus(config)) {
    const rssBytes = pid === null ? null : await residentBytes(pid);
    if (rssBytes !== null) found.push({ component, rssBytes });
  }
  return found;
}

async function residentBytes(pid: number): Promise<number | null> {
  try {
    const status = await readFile(`/proc/${pid}/status`, 'utf8');
    const kb = /^VmRSS:\s+(\d+) kB$/m.exec(status)?.[1];
    return kb === undefined ? null : Number(kb) * 1024;
  } catch {
    return null;
  }
}
