/** Clocks: the horizon, retention by age, certificates and latencies are told by them. */
import { inTime } from '../../domain/quantities.ts';
import { CRITICAL_FACTOR, graded, levelOf, unknown } from './finding.ts';
import type { Draft } from './finding.ts';
import type { ClockLook } from './clock-look.ts';
import type { Context } from './context.ts';
import { need, together } from './judge.ts';
import type { Judge, Looks } from './judge.ts';

const NTP =
  'Let chrony or another time service keep both machines’ clocks; `chronyc tracking` tells how they are.';

function skew(subject: string, { aheadMs, uncertainMs }: ClockLook, { limits }: Context): Draft {
  const least = Math.max(0, Math.abs(aheadMs) - uncertainMs);
  return graded(levelOf(least, limits.clockSkewMs), {
    subject,
    evidence: `${inTime(Math.abs(aheadMs))} ${aheadMs < 0 ? 'behind' : 'ahead of'} this machine, give or take ${inTime(uncertainMs)}`,
    measured: {
      aheadMs: Math.round(aheadMs),
      uncertainMs: Math.round(uncertainMs),
      criticalMs: limits.clockSkewMs * CRITICAL_FACTOR,
    },
    consequence:
      'Latencies are wrong, the horizon moves at the wrong time, records are removed too early or too late, and ' +
      'certificates and tokens count as not yet or no longer valid.',
    mend: NTP,
  });
}

const source = need(['sourceServer'], 'the source’s clock', ({ sourceServer }, context) => [
  skew('the source’s clock', sourceServer.clock, context),
]);

const store = need(['storeServer'], 'the state store’s clock', ({ storeServer }, context) => [
  skew('the state store’s clock', storeServer.clock, context),
]);

const connect = need(['connectServer'], 'Connect’s clock', ({ connectServer }, context) =>
  connectServer.clock === null
    ? [unseen('Connect’s clock', 'its answers carry no date')]
    : [skew('Connect’s clock', connectServer.clock, context)],
);

/** Kafka's protocol tells no time: what the broker stamped is set against what the connector wrote into it. */
const broker: Judge = {
  needs: ['kafkaBeat', 'connectServer'],
  judge(looks: Looks, context: Context) {
    const subject = 'the brokers’ clock';
    const { kafkaBeat, connectServer } = looks;
    if (kafkaBeat?.seen !== true) return [unseen(subject, kafkaBeat?.why ?? 'it was not looked at')];
    const beat = kafkaBeat.value;
    if (beat === null) return [unseen(subject, 'there is no heartbeat yet that a broker has stamped')];
    if (!beat.stampedByBroker || beat.connectorMs === null) {
      return [
        unseen(
          subject,
          'the newest heartbeat is not stamped by the broker',
          'Run `anchorline topics apply`.',
        ),
      ];
    }
    const clock = connectServer?.seen === true ? connectServer.value.clock : null;
    if (clock === null)
      return [unseen(subject, 'it is told by way of Connect, whose clock is not to be seen')];
    const aheadMs = beat.recordMs - beat.connectorMs + clock.aheadMs;
    return [skew(subject, { aheadMs, uncertainMs: clock.uncertainMs + SENDING_MS }, context)];
  },
};

/** How long a heartbeat may take from the connector to the broker. */
const SENDING_MS = 500;

function unseen(subject: string, evidence: string, mend: string = NTP): Draft {
  return unknown({
    subject,
    evidence,
    consequence: 'Its clock may be wrong without anybody seeing it.',
    mend,
  });
}

export const clock = together(source, store, connect, broker);
