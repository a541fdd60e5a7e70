import { userInfo } from 'node:os';

/** Who gives the command, as far as the system knows: a container's user often has no name. */
export function operatorName(): string {
  try {
    return userInfo().username;
  } catch {
    return 'unknown';
  }
}
