import { cpSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join, relative } from 'node:path';
import { build } from 'esbuild';
import { inRoot } from './setup/places.mjs';

/*
 * Most of what a process needs to start is finding and reading the thousands of small files of its packages. So the
 * built entry of each process is replaced by one file that holds them all; the modules beside it stay as they are.
 */

/** A new process needs a line here: without it, it starts slowly. */
const ENTRIES = [
  'apps/cli/src/main.js',
  'apps/coordinator/src/main.js',
  'apps/event-store/src/main.js',
  'apps/event-store/src/tool-main.js',
  'apps/gateway/src/main.js',
  'apps/model-simulator/src/main.js',
  'apps/segment-runner/src/child/main.js',
  'apps/segment-runner/src/child/pulse-thread.js',
  'apps/segment-runner/src/main.js',
  'apps/sweeper/src/main.js',
  'apps/workspace-manager/src/main.js',
];
/** What Nest would load if Baton used it: it asks for them only then. */
const NOT_INSTALLED = [
  '@nats-io/transport-node',
  '@nestjs/platform-socket.io',
  'amqp-connection-manager',
  'class-transformer',
  'class-validator',
  'ioredis',
  'kafkajs',
  'mqtt',
];
/** Packages with files of their own that they find beside themselves. */
const WITH_FILES = ['@photostructure/sqlite'];
const DIST = inRoot('dist');
const MARK = '// bundled\n';
/** Packages that are written for `require` find it here. */
const BANNER = `${MARK}import { createRequire as createRequireOfBundle } from 'node:module';
const require = createRequireOfBundle(import.meta.url);`;

/** The compiler does not write again what has not changed: the entry as it was before its first bundling is kept. */
function original(entry) {
  const [built, kept] = [join(DIST, entry), join(DIST, 'entries', entry)];
  if (readFileSync(built, 'utf8').startsWith(MARK)) return readFileSync(kept, 'utf8');
  mkdirSync(dirname(kept), { recursive: true });
  cpSync(built, kept);
  return readFileSync(kept, 'utf8');
}

/** A module that asks where it is gets the place of its own file, which is not the bundle's. */
const placesOf = (folder) => ({
  name: 'places',
  setup: ({ onLoad }) =>
    onLoad({ filter: /[/\\]dist[/\\](apps|libs)[/\\].*\.js$/ }, ({ path }) => {
      const place = JSON.stringify(relative(folder, path));
      const contents = readFileSync(path, 'utf8');
      return { contents: contents.replaceAll('import.meta.url', `new URL(${place}, import.meta.url).href`) };
    }),
});

async function bundle(entry) {
  const folder = dirname(join(DIST, entry));
  const { outputFiles } = await build({
    stdin: { contents: original(entry), resolveDir: folder, sourcefile: entry },
    bundle: true,
    write: false,
    platform: 'node',
    format: 'esm',
    target: 'node20',
    keepNames: true,
    logLevel: 'warning',
    banner: { js: BANNER },
    external: [...NOT_INSTALLED, ...WITH_FILES],
    plugins: [placesOf(folder)],
  });
  writeFileSync(join(DIST, entry), outputFiles[0].contents);
}

await Promise.all(ENTRIES.map(bundle));
