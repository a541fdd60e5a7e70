/** The schema registry: whether it takes what is written tonight, and knows what was written before. */
import { critical, info, ok, warning } from './finding.ts';
import { need, together } from './judge.ts';

export const registryMode = need(['registryServer'], 'registry', ({ registryServer: { mode, subjects } }) => {
  const measured = { mode, subjects };
  if (mode === null || mode === 'READWRITE') {
    return [ok('registry', `${mode ?? 'no mode'}, ${subjects} subjects`, measured)];
  }
  return [
    warning({
      subject: 'registry',
      evidence: `its mode is ${mode}`,
      measured,
      consequence:
        'A column that the farm adds is a new schema, which is refused: the connector’s task fails.',
      mend: 'PUT /mode with {"mode": "READWRITE"} at the registry.',
    }),
  ];
});

const LEVEL = 'FULL_TRANSITIVE';

export const registryCompatibility = need(['registrySubjects'], 'subjects', ({ registrySubjects }) =>
  registrySubjects.map(({ subject, versions, level }) => {
    const measured = { level, versions };
    if (versions === 0 || level === LEVEL) {
      return ok(subject, versions === 0 ? 'not registered yet' : LEVEL, measured);
    }
    return warning({
      subject,
      evidence: `its compatibility is ${level ?? 'not set'} instead of ${LEVEL}`,
      measured,
      consequence:
        'A version that old consumers cannot read may be registered; a compacted topic keeps records of every version.',
      mend: `PUT /config/${subject} with {"compatibility": "${LEVEL}"} at the registry; a process that publishes sets it too when it starts.`,
    });
  }),
);

const ours = need(['registrySubjects'], 'subjects', ({ registrySubjects }) =>
  registrySubjects.map(({ subject, versions, registered, compatible }) => {
    const measured = { versions, registered, compatible };
    if (registered) return ok(subject, `registered, ${versions} versions`, measured);
    if (compatible === false) {
      return critical({
        subject,
        evidence: `this release’s schema is not registered, and not compatible with the ${versions} versions that are`,
        measured,
        consequence: 'Publishing does not start (REG002): no row reaches the topic.',
        mend: 'Another program or version writes to the topic: set topics.namespace to one of this installation’s own.',
      });
    }
    return info({
      subject,
      evidence: `this release’s schema is not among its ${versions} versions`,
      measured,
      consequence: 'It is registered when publishing starts.',
      mend: 'anchorline run --roles publish',
    });
  }),
);

const known = need(['kafkaBeat'], 'schemas of records', ({ kafkaBeat: beat }) => {
  if (beat === null || beat.schemaId === null || beat.schemaKnown === null) return [];
  const measured = { schemaId: beat.schemaId, known: beat.schemaKnown };
  if (beat.schemaKnown)
    return [ok('schemas of records', `schema ${beat.schemaId} of the newest heartbeat is known`, measured)];
  return [
    critical({
      subject: 'schemas of records',
      evidence: `the registry does not know schema ${beat.schemaId}, which the newest heartbeat was written with`,
      measured,
      consequence: 'It has lost its data: every record becomes a dead letter (REC002).',
      mend: 'Restore the registry’s data, then `anchorline dead-letters replay --code REC002`.',
    }),
  ];
});

export const registrySchemas = together(ours, known);
