import { describe, expect, it } from 'vitest';

import { lookThrough } from '../../src/doctor/probe.ts';
import type { Probe, Probes } from '../../src/doctor/probe.ts';
import { clockOf } from '../../src/doctor/probe/clock-of.ts';
import { queueMetrics } from '../../src/doctor/probe/metrics-text.ts';
import { renderFindings } from '../../src/doctor/render.ts';
import { SEVERITIES, worst } from '../../src/doctor/judge/finding.ts';
import type { Finding } from '../../src/doctor/judge/finding.ts';
import { WELL } from '../support/doctor-evidence.ts';
import { until } from '../support/kafka-lab.ts';
import { FakeClock } from '../support/fake-clock.ts';

const probe = <T>(look: Probe<T>['look']): Probe<T> => ({ target: 'the part', mend: 'start it', look });

describe('looking', () => {
  const lines: string[] = [];
  const probes = {
    sourceServer: probe(() => Promise.reject(new Error('postgres://u:hunter2@h/d is down'))),
    storeServer: probe(() => Promise.resolve(WELL.storeServer)),
    kafkaCluster: probe(
      (signal) =>
        new Promise<never>((_, reject) => {
          signal.addEventListener('abort', () => reject(new Error('aborted')));
        }),
    ),
  } as unknown as Probes;

  it('lets a look fail or hang without hiding the others, and says why without passwords', async () => {
    const clock = new FakeClock();
    const looking = lookThrough(probes, ['sourceServer', 'storeServer', 'kafkaCluster'], {
      timeoutMs: 20_000,
      clock,
      progress: (line) => void lines.push(line),
    });
    await until(() => lines.length === 2);
    clock.advance(20_000);
    expect(await looking).toEqual({
      sourceServer: { seen: false, why: 'the part: postgres://u:***@h/d is down', mend: 'start it' },
      storeServer: { seen: true, value: WELL.storeServer },
      kafkaCluster: { seen: false, why: 'the part: no answer within 20 s', mend: 'start it' },
    });
    expect(lines).toHaveLength(3);
    expect(lines.join('\n')).not.toContain('hunter2');
  });

  it('looks through nothing but what is asked for', async () => {
    const looking = { timeoutMs: 1, clock: new FakeClock(), progress: () => undefined };
    expect(Object.keys(await lookThrough(probes, ['storeServer'], looking))).toEqual(['storeServer']);
  });
});

describe('a clock that is asked', () => {
  const asked = async (tookMs: number, theirs: number | null, resolutionMs: number) => {
    let nowMs = 10_000;
    const clock = { nowMs: () => nowMs, sleep: () => Promise.resolve() };
    const ask = () => {
      nowMs += tookMs;
      return Promise.resolve(theirs);
    };
    return (await clockOf(clock, resolutionMs, ask, (time) => time)).clock;
  };

  it.each([
    ['the same', 100, 10_050, 0, { aheadMs: 0, uncertainMs: 50 }],
    ['ahead', 100, 12_050, 0, { aheadMs: 2_000, uncertainMs: 50 }],
    ['told in whole seconds', 100, 10_000, 1_000, { aheadMs: 450, uncertainMs: 550 }],
    ['not told', 100, null, 0, null],
  ])('%s', async (_what, tookMs, theirs, resolutionMs, expected) => {
    expect(await asked(tookMs, theirs, resolutionMs)).toEqual(expected);
  });
});

describe('the queue in an exporter’s text', () => {
  const TEXT = `
# HELP debezium_metrics_QueueTotalCapacity untyped
# TYPE debezium_metrics_QueueTotalCapacity untyped
debezium_metrics_QueueTotalCapacity{context="snapshot",name="farm",plugin="postgres",} 1.0
debezium_metrics_QueueTotalCapacity{context="streaming",name="farm",plugin="postgres",} 16384.0
debezium_metrics_QueueTotalCapacity{context="streaming",name="other"} 5
debezium_metrics_QueueRemainingCapacity{context="streaming",name="farm",note="a \\"b\\", c"} 16000 1700000000
debezium_metrics_MilliSecondsBehindSource{context="streaming",name="farm"} NaN
a line of no sense {
`;

  it('is that of the stream of our connector', () => {
    expect(queueMetrics(TEXT, 'farm')).toEqual({
      queueTotal: 16_384,
      queueRemaining: 16_000,
      behindSourceMs: null,
    });
  });

  it('is found in lower case too', () => {
    expect(queueMetrics(TEXT.toLowerCase(), 'other').queueTotal).toBe(5);
  });

  it('is not there for another connector', () => {
    const none = { queueTotal: null, queueRemaining: null, behindSourceMs: null };
    expect(queueMetrics(TEXT, 'nobody')).toEqual(none);
    expect(queueMetrics('', 'farm')).toEqual(none);
  });
});

describe('findings in words', () => {
  const finding = (check: string, severity: Finding['severity'], evidence: string): Finding => ({
    check,
    severity,
    subject: `about ${check}`,
    evidence,
    measured: {},
    consequence: severity === 'ok' ? null : 'It breaks.',
    mend: severity === 'ok' ? null : 'Mend it.',
  });
  const findings = [
    finding('slot', 'ok', 'in use'),
    finding('topics', 'warning', 'one missing'),
    finding('role', 'unknown', 'the source is away'),
    finding('keys', 'unknown', 'the source is away'),
    finding('dirt', 'critical', 'a day old'),
  ];

  it('come with the urgent first, and what is unknown for one reason together', () => {
    expect(renderFindings(findings, false)).toEqual([
      'CRITICAL  dirt  about dirt',
      '          a day old',
      '  breaks  It breaks.',
      '  mend    Mend it.',
      '',
      'WARNING   topics  about topics',
      '          one missing',
      '  breaks  It breaks.',
      '  mend    Mend it.',
      '',
      'UNKNOWN   role, keys',
      '          the source is away',
      '  breaks  It breaks.',
      '  mend    Mend it.',
      '',
      'critical: 1 critical, 1 warning, 2 unknown, 0 info, 1 ok',
    ]);
  });

  it('tell what is well on request', () => {
    expect(renderFindings(findings, true)).toContain('OK        slot  about slot: in use');
  });

  it('have the worst of their severities', () => {
    expect(worst([])).toBe('ok');
    expect(worst(['info', 'unknown', 'ok'])).toBe('unknown');
    expect(worst(SEVERITIES)).toBe('critical');
  });
});
