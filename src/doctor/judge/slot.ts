/** The replication slot: the connector's bookmark in the source's WAL. */
import { inBytes, inTime } from '../../domain/quantities.ts';
import { critical, graded, info, levelOf, ok, warning } from './finding.ts';
import type { Draft } from './finding.ts';
import type { Slot, SlotLooks, SourceServer } from './evidence-source.ts';
import type { Context } from './context.ts';
import { need } from './judge.ts';

const slotName = ({ source }: Context): string => `slot ${source.slot}`;

export const walLevel = need(['sourceServer'], 'wal_level', ({ sourceServer: { walLevel: level } }) => [
  level === 'logical'
    ? ok('wal_level', 'logical', { walLevel: level })
    : critical({
        subject: 'wal_level',
        evidence: `wal_level is ${level}`,
        measured: { walLevel: level },
        consequence: 'The source writes nothing that could be captured; a connector cannot start.',
        mend: 'ALTER SYSTEM SET wal_level = logical; then restart the source’s Postgres.',
      }),
]);

export const slot = need(['sourceSlot'], slotName, ({ sourceSlot: looks }, context) => {
  const found = looks.second ?? looks.first;
  if (found === null) return [noSlot(context)];
  return wrongKind(found, context) ?? lostSlot(found, context) ?? [inUse(looks, found, context)];
});

function noSlot(context: Context): Draft {
  return critical({
    subject: slotName(context),
    evidence: 'the source has no slot of this name',
    measured: { exists: false },
    consequence:
      'Nothing is captured. Where there was one before, what changed since its end is lost to the connector: rows ' +
      'deleted then stay facts, silently.',
    mend: MAKE_UP,
  });
}

/** Makes a slot, and up for what was missed without one. */
const MAKE_UP =
  'Run `anchorline resnapshot --all --new-slot`; where nothing was ever captured, `anchorline connectors apply`.';

function wrongKind(found: Slot, context: Context): readonly Draft[] | null {
  const { source } = context;
  const other =
    found.database !== null && found.database !== source.database
      ? `belongs to database ${found.database}, not to ${source.database}`
      : found.plugin !== 'pgoutput'
        ? `decodes by ${found.plugin ?? 'no plugin'} instead of pgoutput`
        : null;
  if (other === null) return null;
  return [
    critical({
      subject: slotName(context),
      evidence: `it ${other}`,
      measured: { database: found.database, plugin: found.plugin },
      consequence: 'The connector cannot read from it: nothing is captured.',
      mend: 'Name another slot in `source.slot`, then run `anchorline connectors apply`.',
    }),
  ];
}

const WAL_STATUS: Readonly<Record<string, string>> = {
  unreserved: 'The WAL that it needs goes with the next checkpoint, within minutes.',
  extended: 'More WAL is kept for it than max_wal_size allows: it is being outrun.',
};

function lostSlot(found: Slot, context: Context): readonly Draft[] | null {
  const subject = slotName(context);
  const measured = { walStatus: found.walStatus, invalidationReason: found.invalidationReason };
  if (found.walStatus === 'lost' || found.invalidationReason !== null) {
    return [
      critical({
        subject,
        evidence: `wal_status is ${found.walStatus ?? 'unknown'}${reason(found)}`,
        measured,
        consequence:
          'The WAL that the connector has still to read is gone: changes are lost, deletes among them.',
        mend: 'Run `anchorline resnapshot --all --new-slot`.',
      }),
    ];
  }
  const outrun = WAL_STATUS[found.walStatus ?? ''];
  if (outrun === undefined) return null;
  const about = {
    subject,
    evidence: `wal_status is ${found.walStatus}, ${inBytes(found.retainedBytes ?? 0)} of WAL are kept`,
    measured: { ...measured, retainedBytes: found.retainedBytes },
    consequence: `${outrun} Once it is gone, changes are lost.`,
    mend: 'Let the connector catch up (`anchorline connectors status`), or raise max_slot_wal_keep_size now.',
  };
  return [found.walStatus === 'unreserved' ? critical(about) : warning(about)];
}

function reason({ invalidationReason }: Slot): string {
  return invalidationReason === null ? '' : ` (${invalidationReason})`;
}

function inUse({ first, second }: SlotLooks, found: Slot, context: Context): Draft {
  const active = first?.active === true || second?.active === true;
  const measured = { active, walStatus: found.walStatus, inactiveMs: found.inactiveMs };
  if (active) return ok(slotName(context), `in use, wal_status ${found.walStatus ?? 'unknown'}`, measured);
  const since = found.inactiveMs === null ? '' : ` since ${inTime(found.inactiveMs)}`;
  return critical({
    subject: slotName(context),
    evidence: `nobody reads it${since}, ${inBytes(found.retainedBytes ?? 0)} of WAL are kept for it`,
    measured: { ...measured, retainedBytes: found.retainedBytes },
    consequence:
      'Nothing is captured, and the source’s WAL grows until its disk is full or the slot is lost.',
    mend: 'Look at `anchorline connectors status`, then `anchorline connectors restart`.',
  });
}

export const slotLag = need(['sourceSlot'], slotName, ({ sourceSlot: looks }, context) => {
  const { first, second, elapsedMs } = looks;
  // Whether there is one is the business of another check.
  if (second === null) return [];
  const kept = second.retainedBytes ?? second.lagBytes ?? 0;
  const growth =
    first === null || elapsedMs <= 0 ? 0 : (kept - (first.retainedBytes ?? first.lagBytes ?? 0)) / elapsedMs;
  const leftMs = second.safeWalBytes !== null && growth > 0 ? second.safeWalBytes / growth : null;
  const level = levelOf(kept, context.limits.slotLagBytes);
  const tonight = leftMs !== null && leftMs <= context.limits.runwayMs;
  return [
    graded(tonight ? 'critical' : level, {
      subject: slotName(context),
      evidence:
        `${inBytes(kept)} of WAL are kept, ${inBytes(second.lagBytes ?? kept)} not confirmed, ` +
        `growing by ${inBytes(growth * 1_000)}/s over ${inTime(elapsedMs)}` +
        (second.safeWalBytes === null ? '' : `, ${inBytes(second.safeWalBytes)} until it is lost`),
      measured: {
        retainedBytes: second.retainedBytes,
        lagBytes: second.lagBytes,
        bytesPerSecond: Math.round(growth * 1_000),
        safeWalBytes: second.safeWalBytes,
        leftMs: leftMs === null ? null : Math.round(leftMs),
      },
      consequence:
        leftMs === null
          ? 'The connector falls behind: rows come late, and the source’s disk fills with WAL.'
          : `At this pace the slot is lost in ${inTime(leftMs)}, and changes with it.`,
      mend:
        'Look at `anchorline connectors status`; end transactions that have been open for long in the source; ' +
        'meanwhile raise max_slot_wal_keep_size if its disk allows.',
    }),
  ];
});

export const slotWalLimit = need(
  ['sourceServer'],
  'max_slot_wal_keep_size',
  ({ sourceServer: { slotWalLimitBytes: bytes } }, { limits }) => {
    const subject = 'max_slot_wal_keep_size';
    const measured = { bytes };
    if (bytes === null) {
      return [
        warning({
          subject,
          evidence: 'unlimited',
          measured,
          consequence:
            'While the connector is away, WAL grows until the source’s disk is full: then the farm cannot write.',
          mend: "ALTER SYSTEM SET max_slot_wal_keep_size = '50GB' (what the disk can spare); SELECT pg_reload_conf();",
        }),
      ];
    }
    if (bytes >= limits.slotLagBytes) return [ok(subject, inBytes(bytes), measured)];
    return [
      warning({
        subject,
        evidence: `${inBytes(bytes)}, less than the lag that is worth a warning (${inBytes(limits.slotLagBytes)})`,
        measured,
        consequence: 'A night’s import, or an outage of an hour, loses the slot before anybody is warned.',
        mend: "ALTER SYSTEM SET max_slot_wal_keep_size = '50GB' (what the disk can spare); SELECT pg_reload_conf();",
      }),
    ];
  },
);

const FAILOVER_SINCE = 170_000;

export const slotFailover = need(['sourceServer', 'sourceSlot'], slotName, (evidence, context) => {
  const { sourceServer: server, sourceSlot } = evidence;
  const found = sourceSlot.second ?? sourceSlot.first;
  const subject = slotName(context);
  const measured = {
    standbys: server.standbys,
    failover: found?.failover ?? null,
    synced: found?.synced ?? null,
    standby: server.standby,
  };
  if (server.standby) return [onStandby(found, subject, measured)];
  if (found === null) return [];
  if (server.version < FAILOVER_SINCE) {
    if (server.standbys === 0) return [ok(subject, 'no standby: there is nothing to fail over to', measured)];
    return [
      warning({
        subject,
        evidence: `${server.standbys} standbys, and this Postgres knows no failover slots (17 does)`,
        measured,
        ...AFTER_FAILOVER,
        mend: 'After a failover, run `anchorline resnapshot --all --new-slot`.',
      }),
    ];
  }
  return [failover(server, found, subject, measured)];
});

const AFTER_FAILOVER = {
  consequence:
    'After a failover the slot is not there: changes between its last position and a new slot are lost.',
};

function failover(
  server: SourceServer,
  found: Slot,
  subject: string,
  measured: Record<string, number | boolean | null>,
): Draft {
  if (found.failover !== true) {
    const about = {
      subject,
      evidence: `failover is off, ${server.standbys} standbys are to be seen`,
      measured,
      ...AFTER_FAILOVER,
      mend:
        'Pause the connector, ALTER_REPLICATION_SLOT … (FAILOVER true) over a replication connection, and add ' +
        '`slot.failover: true` to connectors/farm-postgres.yaml.',
    };
    // Some providers keep a standby that nobody sees.
    return server.standbys > 0 ? warning(about) : info(about);
  }
  if (server.standbys === 0 || (server.synchronizedStandbySlots ?? '') !== '') {
    return ok(subject, `failover is on, ${server.standbys} standbys`, measured);
  }
  return info({
    subject,
    evidence: 'failover is on, but synchronized_standby_slots is empty',
    measured,
    consequence:
      'The connector may be ahead of the standby: after a failover some changes may come twice or differ.',
    mend: 'Name the standby’s physical slot in synchronized_standby_slots.',
  });
}

function onStandby(
  found: Slot | null,
  subject: string,
  measured: Record<string, number | boolean | null>,
): Draft {
  if (found?.synced === true) return ok(subject, 'this standby has the slot, synchronised', measured);
  return warning({
    subject,
    evidence:
      found === null
        ? 'this server is a standby and lacks the slot'
        : 'this server is a standby and its slot is not synchronised',
    measured,
    ...AFTER_FAILOVER,
    mend: 'Set sync_replication_slots = on, hot_standby_feedback = on and a primary_slot_name here, and failover on the primary’s slot.',
  });
}

export const replicationHeadroom = need(
  ['sourceServer', 'sourceSlot'],
  'replication',
  ({ sourceServer: server, sourceSlot }) => {
    const needsSlot = (sourceSlot.second ?? sourceSlot.first) === null;
    const needsSender = sourceSlot.second?.active !== true;
    return [
      headroom('max_replication_slots', server.maxSlots, server.usedSlots, needsSlot),
      headroom('max_wal_senders', server.maxSenders, server.usedSenders, needsSender),
    ];
  },
);

function headroom(setting: string, max: number, used: number, needed: boolean): Draft {
  const measured = { max, used };
  const evidence = `${used} of ${max} are in use`;
  if (used < max) return ok(setting, evidence, measured);
  const about = {
    subject: setting,
    evidence,
    measured,
    consequence: needed
      ? 'The connector cannot start: none is left for it.'
      : 'None is left for the connector to come back with while its old one is still held, nor for a standby.',
    mend: `Drop what nobody needs (SELECT * FROM pg_replication_slots), or ALTER SYSTEM SET ${setting} = ${max + 5} and restart the source.`,
  };
  return needed ? critical(about) : warning(about);
}
