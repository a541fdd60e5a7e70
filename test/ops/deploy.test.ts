/** What deploys Anchorline says the same as Anchorline itself: settings that exist, secrets as files, nobody's root. */
import { spawnSync } from 'node:child_process';
import { mkdtemp, readFile, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Deployment } from 'kubernetes-models/apps/v1/Deployment';
import { Job } from 'kubernetes-models/batch/v1/Job';
import { NetworkPolicy } from 'kubernetes-models/networking.k8s.io/v1/NetworkPolicy';
import { PodDisruptionBudget } from 'kubernetes-models/policy/v1/PodDisruptionBudget';
import { ConfigMap } from 'kubernetes-models/v1/ConfigMap';
import { Namespace } from 'kubernetes-models/v1/Namespace';
import { Secret } from 'kubernetes-models/v1/Secret';
import { Service } from 'kubernetes-models/v1/Service';
import { describe, expect, it, test } from 'vitest';
import { parse } from 'yaml';
import { loadConfig } from '../../src/config/load.ts';
import { VERSION } from '../../src/version.ts';
import { PROJECT_DIR } from '../support/stack-provider.ts';

const KUBERNETES = join(PROJECT_DIR, 'ops', 'kubernetes');
const KINDS = {
  ConfigMap,
  Deployment,
  Job,
  Namespace,
  NetworkPolicy,
  PodDisruptionBudget,
  Secret,
  Service,
} as const;

interface Container {
  readonly name: string;
  readonly image: string;
  readonly args: readonly string[];
  readonly env?: readonly { readonly name: string; readonly value?: string }[];
  readonly securityContext?: Readonly<Record<string, unknown>>;
}

interface PodTemplate {
  readonly terminationGracePeriodSeconds?: number;
  readonly securityContext: { readonly runAsNonRoot?: boolean };
  readonly containers: readonly Container[];
  readonly initContainers?: readonly Container[];
}

interface Manifest {
  readonly kind: keyof typeof KINDS | 'Kustomization';
  readonly data?: Readonly<Record<string, string>>;
  readonly stringData?: Readonly<Record<string, string>>;
  readonly spec?: { readonly template?: { readonly spec: PodTemplate } };
}

const read = (...path: string[]) => readFile(join(PROJECT_DIR, ...path), 'utf8');
const files = (await readdir(KUBERNETES)).filter((name) => name.endsWith('.yaml'));
const manifests = new Map<string, Manifest>(
  await Promise.all(
    files.map(async (name) => [name, parse(await read('ops', 'kubernetes', name)) as Manifest] as const),
  ),
);
const pods = [...manifests.values()].flatMap(({ spec }) =>
  spec?.template === undefined ? [] : [spec.template.spec],
);
const containers = pods.flatMap((pod) => [...pod.containers, ...(pod.initContainers ?? [])]);

/** Problems that the settings' own check finds; files that variables name are thought to be there. */
function problemsOf(env: Readonly<Record<string, string>>): readonly string[] {
  return loadConfig({ env, file: null, readFile: () => 'postgres://somebody@somewhere/db' }).warnings;
}

describe('the manifests', () => {
  test.each(files.filter((name) => name !== 'kustomization.yaml'))('%s fits its schema', (name) => {
    const manifest = manifests.get(name) as Manifest & { readonly kind: keyof typeof KINDS };
    const Kind = KINDS[manifest.kind] as new (of: never) => { validate(): void };
    expect(() => new Kind(manifest as never).validate()).not.toThrow();
  });

  it('would not fit with a field that Kubernetes does not know the type of', () => {
    const manifest = structuredClone(manifests.get('deployment.yaml')) as unknown as {
      spec: { replicas: unknown };
    };
    manifest.spec.replicas = 'two';
    expect(() => new Deployment(manifest as never).validate()).toThrow(/replicas/);
  });

  it('are listed in the kustomization, but for the example', async () => {
    const { resources } = parse(await read('ops', 'kubernetes', 'kustomization.yaml')) as {
      resources: readonly string[];
    };
    const own = files.filter((name) => !['kustomization.yaml', 'secret.example.yaml'].includes(name));
    expect(resources.toSorted()).toEqual(own.toSorted());
  });

  it('run as nobody in particular, in a file system that they cannot write', () => {
    expect(pods.length).toBe(2);
    expect(pods.map((pod) => pod.securityContext.runAsNonRoot)).toEqual([true, true]);
    for (const { securityContext } of containers) {
      expect(securityContext).toEqual({
        allowPrivilegeEscalation: false,
        readOnlyRootFilesystem: true,
        capabilities: { drop: ['ALL'] },
      });
    }
  });

  it('set what Anchorline knows, and secrets by files alone', () => {
    const settings = manifests.get('settings.yaml')?.data ?? {};
    for (const { env = [] } of containers) {
      const variables = Object.fromEntries(env.map(({ name, value = '' }) => [name, value]));
      expect(Object.keys(variables).every((name) => name.endsWith('_FILE'))).toBe(true);
      expect(problemsOf({ ...settings, ...variables })).toEqual([]);
    }
  });

  it('name secrets that the example has', () => {
    const known = Object.keys(manifests.get('secret.example.yaml')?.stringData ?? {});
    const named = containers.flatMap(({ env = [] }) =>
      env.map(({ value = '' }) => value.slice(value.lastIndexOf('/') + 1)),
    );
    expect([...new Set(named)].toSorted()).toEqual(known.toSorted());
  });
});

describe('the time to stop', () => {
  it('is longer than the process takes by itself, everywhere', async () => {
    const { deadlineMs } = loadConfig({ env: {}, file: null, readFile: () => '' }).config.shutdown;
    const unit = /TimeoutStopSec=(\d+)/.exec(await read('ops', 'systemd', 'anchorline.service'))?.[1];
    const compose = /stop_grace_period: (\d+)s/.exec(await read('docker-compose.yml'))?.[1];
    const pod = pods.find((one) => one.terminationGracePeriodSeconds !== undefined);
    for (const seconds of [unit, compose, pod?.terminationGracePeriodSeconds]) {
      expect(Number(seconds) * 1_000).toBeGreaterThan(deadlineMs);
    }
  });
});

describe('the image', () => {
  it('is of the Node that the project pins, and runs as another than root', async () => {
    const { devDependencies } = JSON.parse(await read('package.json')) as {
      devDependencies: Readonly<Record<string, string>>;
    };
    const text = await read('Dockerfile');
    const bases = [...text.matchAll(/^FROM node:([\d.]+)-/gm)].map(([, version]) => version);
    expect(bases).toEqual([devDependencies['node'], devDependencies['node']]);
    expect(text).toMatch(/^USER 1000:1000$/m);
  });

  it('has the version of the release in the kustomization', async () => {
    const { images } = parse(await read('ops', 'kubernetes', 'kustomization.yaml')) as {
      images: readonly { readonly newTag: string }[];
    };
    expect(images.map(({ newTag }) => newTag)).toEqual([VERSION]);
  });

  it('holds all that it copies, and nothing that the ignore file keeps out', async () => {
    const copied = [...(await read('Dockerfile')).matchAll(/^COPY (?!--from)(.+) \S+$/gm)].flatMap(
      ([, sources = '']) => sources.split(' '),
    );
    const letIn = [...(await read('.dockerignore')).matchAll(/^!(\S+)$/gm)].map(([, path = '']) => path);
    expect([...new Set(copied)].toSorted()).toEqual(letIn.toSorted());
  });
});

describe('the linters of the gate', () => {
  test.each([
    ['dockerfile-utils', ['lint'], 'Dockerfile', /^USER .*$/m, 'USER'],
    [
      'dclint',
      ['--max-warnings', '0'],
      'docker-compose.yml',
      /^ {4}image: apache.*$/m,
      '    image: apache/kafka',
    ],
  ] as const)('%s refuses what is wrong', async (linter, args, name, right, wrong) => {
    const folder = await mkdtemp(join(tmpdir(), 'anchorline-lint-'));
    try {
      const text = await read(name);
      const run = async (content: string) => {
        await writeFile(join(folder, name), content);
        return spawnSync(linter, [...args, join(folder, name)], { encoding: 'utf8' }).status;
      };
      await writeFile(join(folder, '.dclintrc'), await read('.dclintrc'));
      expect(text).toMatch(right);
      expect(await run(text)).toBe(0);
      expect(await run(text.replace(right, wrong))).not.toBe(0);
    } finally {
      await rm(folder, { recursive: true });
    }
  });
});

describe('the systemd unit', () => {
  it('sets what Anchorline knows', async () => {
    const unit = await read('ops', 'systemd', 'anchorline.service');
    const inUnit = [...unit.matchAll(/(ANCHORLINE_\w+)=(\S+)/g)];
    const inFile = [...(await read('ops', 'systemd', 'anchorline.env.example')).matchAll(/^(\w+)=(.+)$/gm)];
    const env = Object.fromEntries([...inUnit, ...inFile].map(([, name = '', value = '']) => [name, value]));
    expect(Object.keys(env).length).toBeGreaterThan(5);
    expect(problemsOf(env)).toEqual([]);
  });

  // Only Linux with systemd has its checker; the gate installs it.
  if (hasSystemdAnalyze()) {
    it('is understood by systemd, and exposes little', async () => {
      const folder = await mkdtemp(join(tmpdir(), 'anchorline-unit-'));
      try {
        const unit = join(folder, 'anchorline.service');
        // The checker wants the program to be there.
        const text = (await read('ops', 'systemd', 'anchorline.service')).replace(
          /^ExecStart=\S+/m,
          'ExecStart=/bin/true',
        );
        await writeFile(unit, text);
        expect(systemdAnalyze(['verify', unit])).toEqual({ status: 0, complaints: '' });
        expect(systemdAnalyze(['security', '--offline=yes', '--threshold=20', unit]).status).toBe(0);
        await writeFile(unit, text.replace('ProtectSystem=strict', 'ProtectSystem=very'));
        expect(systemdAnalyze(['verify', unit]).complaints).toContain('Failed to parse');
      } finally {
        await rm(folder, { recursive: true });
      }
    });
  }
});

function hasSystemdAnalyze(): boolean {
  return spawnSync('systemd-analyze', ['--version']).error === undefined;
}

function systemdAnalyze(args: readonly string[]): { status: number | null; complaints: string } {
  const { status, stderr } = spawnSync('systemd-analyze', args, { encoding: 'utf8' });
  return { status, complaints: stderr.trim() };
}
