/** Looks at the schema registry, through the API that Confluent's clients speak. */
import type { Clock } from '../../domain/ports.ts';
import type { RegistryAddress } from '../../kafka/avro.ts';
import { createFetch } from '../../net/http-client.ts';
import type { RegistryServer, RegistrySubject } from '../judge/evidence-registry.ts';
import type { Probes } from '../probe.ts';
import { ask, joined, refusal } from './http.ts';

export interface RegistryTarget {
  readonly registry: RegistryAddress;
  /** Anchorline's own subjects with this release's schemas. */
  readonly subjects: readonly OwnSubject[];
  readonly clock: Clock;
}

interface OwnSubject {
  readonly subject: string;
  readonly schema: object;
}

export type RegistryProbes = Pick<Probes, 'registryServer' | 'registrySubjects'>;

/** null for 404: what is asked for is not there. */
type Answers = (route: string, signal: AbortSignal, body?: object) => Promise<unknown>;

export function registryProbes({ registry, subjects, clock }: RegistryTarget): RegistryProbes {
  const answers = answersOf(registry);
  const at = {
    target: `the schema registry (${registry.url})`,
    mend: 'Start the registry, or check registry.url.',
  };
  return {
    registryServer: { ...at, look: (signal) => server(answers, clock, signal) },
    registrySubjects: {
      ...at,
      look: (signal) => Promise.all(subjects.map((one) => subjectOf(answers, one, signal))),
    },
  };
}

async function server(answers: Answers, clock: Clock, signal: AbortSignal): Promise<RegistryServer> {
  const began = clock.nowMs();
  const subjects = await answers('/subjects', signal);
  const tookMs = clock.nowMs() - began;
  if (!Array.isArray(subjects)) throw new Error('what answers is no schema registry: check registry.url');
  const mode = (await answers('/mode', signal)) as { mode?: string } | null;
  return { tookMs, subjects: subjects.length, mode: mode?.mode ?? null };
}

interface Level {
  readonly compatibilityLevel?: string;
  readonly compatibility?: string;
}

async function subjectOf(
  answers: Answers,
  { subject, schema }: OwnSubject,
  signal: AbortSignal,
): Promise<RegistrySubject> {
  const name = encodeURIComponent(subject);
  const versions = (await answers(`/subjects/${name}/versions`, signal)) as readonly number[] | null;
  if (versions === null) return { subject, versions: 0, level: null, registered: false, compatible: null };
  const body = { schema: JSON.stringify(schema) };
  const [config, known] = await Promise.all([
    answers(`/config/${name}`, signal) as Promise<Level | null>,
    answers(`/subjects/${name}`, signal, body),
  ]);
  const level = config?.compatibilityLevel ?? config?.compatibility ?? null;
  const about = { subject, versions: versions.length, level };
  if (known !== null) return { ...about, registered: true, compatible: true };
  const route = `/compatibility/subjects/${name}/versions/latest`;
  const answer = (await answers(route, signal, body)) as { is_compatible?: boolean } | null;
  return { ...about, registered: false, compatible: answer?.is_compatible ?? null };
}

function answersOf({ url, access }: RegistryAddress): Answers {
  const send = createFetch(access);
  const headers = { 'content-type': 'application/vnd.schemaregistry.v1+json' };
  return async (route, signal, body) => {
    const init = body === undefined ? {} : { method: 'POST', body: JSON.stringify(body), headers };
    const response = await ask(send, joined(url, route), signal, init);
    if (response.status === 404) return null;
    if (!response.ok) throw refusal(response, route);
    return response.json();
  };
}
