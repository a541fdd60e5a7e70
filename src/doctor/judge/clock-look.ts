/** How far another machine's clock is ahead of this one's. */
export interface ClockLook {
  readonly aheadMs: number;
  /** Half the time that the question took, or half of what the answer leaves open. */
  readonly uncertainMs: number;
}
