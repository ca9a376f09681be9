import { chmodSync, mkdirSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { arch, platform } from 'node:os';
import { join } from 'node:path';
import { verify } from './checksum.mjs';
import { find, run } from './commands.mjs';
import { atLeast } from './node-version.mjs';
import { tools } from './places.mjs';
import { SetupError, say } from './say.mjs';
import { commandToInstall, installPackage } from './system-packages.mjs';

// The same as in libs/bus/src/server-version.ts, which this script cannot read before the build.
const OLDEST = '2.9.10';
const RELEASE = '2.10.27';
// A mirror that has the folders v1.2.3/ of the official releases may be named, for networks that cannot reach GitHub.
const MIRROR = process.env.BATON_NATS_RELEASES || 'https://github.com/nats-io/nats-server/releases/download';
const RELEASES = `${MIRROR}/v${RELEASE}`;
const ARCHITECTURES = { x64: 'amd64', arm64: 'arm64', arm: 'arm7', ia32: '386', s390x: 's390x', ppc64: 'ppc64le' };
const SYSTEMS = { linux: 'linux', darwin: 'darwin', freebsd: 'freebsd' };

/** Finds nats-server or brings it here; answers its path. */
export async function ensureNatsServer() {
  const found = usable();
  if (found) return found;
  const viaPackage = installPackage('nats-server', (by) => say(`nats-server is missing; installing it with ${by} …`));
  if (viaPackage && usable()) return usable();
  const reason = await download().then(
    () => undefined,
    (error) => error,
  );
  if (usable()) return usable();
  const command = commandToInstall('nats-server');
  throw new SetupError(
    `nats-server ${OLDEST} or newer is missing and could not be installed without a question (${reason ? reason.message : 'no way worked'}): ` +
      (command ? `run \`${command}\`, or put` : 'put') +
      ` the binary from https://github.com/nats-io/nats-server/releases on the PATH, and try again.`,
  );
}

function usable() {
  const path = [join(tools, 'nats-server'), find('nats-server')].find((file) => file && versionOf(file));
  return path && atLeast(versionOf(path), OLDEST) ? path : undefined;
}

function versionOf(path) {
  const { ok, output } = run(path, ['--version']);
  return ok ? (/v(\d+\.\d+\.\d+)/.exec(output) || [])[1] : undefined;
}

/** The official release for this platform, taken only when it has the checksum that was published with it. */
async function download() {
  const system = SYSTEMS[platform()];
  const machine = ARCHITECTURES[arch()];
  if (!system || !machine) throw new Error(`there is no official release for ${platform()} on ${arch()}`);
  const name = `nats-server-v${RELEASE}-${system}-${machine}`;
  say(`nats-server is missing; downloading the official release ${RELEASE} …`);
  const [sums, archive] = await Promise.all([fetchBytes('SHA256SUMS'), fetchBytes(`${name}.tar.gz`)]);
  verify(sums.toString('utf8'), `${name}.tar.gz`, archive);
  unpack(archive, name);
}

async function fetchBytes(file) {
  const response = await fetch(`${RELEASES}/${file}`, { signal: AbortSignal.timeout(120_000) }).catch((error) => {
    throw new Error(`${RELEASES}/${file} cannot be reached: ${(error.cause && error.cause.message) || error.message}`);
  });
  if (!response.ok) throw new Error(`${RELEASES}/${file} answers ${response.status}`);
  return Buffer.from(await response.arrayBuffer());
}

function unpack(archive, name) {
  const scratch = join(tools, `unpack-${process.pid}`);
  mkdirSync(scratch, { recursive: true });
  try {
    writeFileSync(join(scratch, 'archive.tar.gz'), archive);
    const { ok, output } = run('tar', ['-xzf', join(scratch, 'archive.tar.gz'), '-C', scratch]);
    if (!ok) throw new Error(`the release could not be unpacked: ${output}`);
    chmodSync(join(scratch, name, 'nats-server'), 0o755);
    renameSync(join(scratch, name, 'nats-server'), join(tools, 'nats-server'));
  } finally {
    rmSync(scratch, { recursive: true, force: true });
  }
}
