import { execFile } from 'node:child_process';
import { cpSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { basename, dirname, join, relative } from 'node:path';
import { pathToFileURL } from 'node:url';
import { promisify } from 'node:util';
import { build } from 'esbuild';
import { inRoot } from './setup/places.mjs';

/*
 * Most of what a process needs to start is finding, reading and compiling the thousands of small files of its packages.
 * So the built entry of each process is replaced by a few lines that run one file which holds them all, and beside it
 * lies what V8 made of that file when the bundle was built; the modules beside it stay as they are.
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
const LOADER = join(DIST, 'load-bundle.mjs');
const MARK = '// bundled\n';
/** The first lines of an entry, as the compiler writes them: nothing else may be outside of what `main` does. */
const IMPORTS = /^(?:import .*;\n)+/;

/** The compiler does not write again what has not changed: the entry as it was before its first bundling is kept. */
function original(entry) {
  const [built, kept] = [join(DIST, entry), join(DIST, 'entries', entry)];
  if (readFileSync(built, 'utf8').startsWith(MARK)) return readFileSync(kept, 'utf8');
  mkdirSync(dirname(kept), { recursive: true });
  cpSync(built, kept);
  return readFileSync(kept, 'utf8');
}

/** An entry waits at its top level, which only a module can: what it does becomes `main`. */
function asFunction(entry, text) {
  const [imports = ''] = IMPORTS.exec(text) ?? [];
  const body = text.slice(imports.length);
  if (/^(?:import|export)\b/m.test(body)) throw new Error(`${entry} has an import or export below its first lines.`);
  const later = [...body.matchAll(/\bimport\('[^']+'\)/g)].join(', ');
  return `${imports}export async function main() {\n${body}\n}\nexport const loadTheRest = () => Promise.all([${later}]);\n`;
}

/** A module that asks where it is gets the place of its own file, which is not the bundle's. */
const inPlace = (text, place) => text.replaceAll('import.meta.url', place);
const placesOf = (folder) => ({
  name: 'places',
  setup: ({ onLoad }) =>
    onLoad({ filter: /[/\\]dist[/\\](apps|libs)[/\\].*\.js$/ }, ({ path }) => {
      const place = `new URL(${JSON.stringify(relative(folder, path))}, bundleUrl).href`;
      return { contents: inPlace(readFileSync(path, 'utf8'), place) };
    }),
});

const bundleOf = (entry) => join(DIST, entry.replace(/js$/, 'cjs'));

async function bundle(entry) {
  const file = join(DIST, entry);
  const [folder, bundled] = [dirname(file), bundleOf(entry)];
  const { outputFiles } = await build({
    stdin: {
      contents: inPlace(asFunction(entry, original(entry)), 'bundleUrl'),
      resolveDir: folder,
      sourcefile: entry,
    },
    bundle: true,
    write: false,
    platform: 'node',
    format: 'cjs',
    target: 'node20',
    keepNames: true,
    // Its text is a script, which has no importer of its own.
    supported: { 'dynamic-import': false },
    logLevel: 'warning',
    external: [...NOT_INSTALLED, ...WITH_FILES],
    plugins: [placesOf(folder)],
  });
  writeFileSync(bundled, outputFiles[0].contents);
  const [loader, name] = [relative(folder, LOADER), basename(bundled)];
  writeFileSync(
    file,
    `${MARK}import { loadBundle } from '${loader}';\nawait loadBundle(new URL('./${name}', import.meta.url)).main();\n`,
  );
}

/** V8 takes only what was compiled with its own flags, and a segment's process is forked with a limit of its memory. */
async function flagsOf(entry) {
  if (!entry.startsWith('apps/segment-runner/src/child/')) return [];
  const { SegmentRunnerConfig } = await import(pathToFileURL(join(DIST, 'apps/segment-runner/src/config.js')).href);
  return [`--max-old-space-size=${SegmentRunnerConfig.shape.BATON_CHILD_MEMORY_MB.parse(undefined)}`];
}

async function cache(entry) {
  const [loader, bundled] = [LOADER, bundleOf(entry)].map((file) => pathToFileURL(file).href);
  const program = `import { cacheBundle } from ${JSON.stringify(loader)};
await cacheBundle(new URL(${JSON.stringify(bundled)}));
process.exit();`;
  const words = [...(await flagsOf(entry)), '--input-type=module', '--eval', program];
  await promisify(execFile)(process.execPath, words);
}

cpSync(inRoot('scripts', 'load-bundle.mjs'), LOADER);
await Promise.all(ENTRIES.map(bundle));
await Promise.all(ENTRIES.map(cache));
