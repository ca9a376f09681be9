import { find, run } from './commands.mjs';

const MANAGERS = [
  { program: 'apt-get', install: ['install', '-y', '--no-install-recommends'], refresh: ['update', '-qq'], root: true },
  { program: 'dnf', install: ['install', '-y', '-q'], root: true },
  { program: 'apk', install: ['add', '--no-cache', '-q'], root: true },
  { program: 'pacman', install: ['-S', '--noconfirm', '--needed'], root: true },
  { program: 'brew', install: ['install', '-q'], root: false },
];

/** The package manager of this system, with the words to run it without a question, or undefined. */
function packageManager() {
  const manager = MANAGERS.find(({ program }) => find(program));
  if (!manager) return undefined;
  const path = find(manager.program);
  if (!manager.root) return { ...manager, words: [path] };
  if (process.getuid && process.getuid() === 0) return { ...manager, words: [path] };
  const sudo = find('sudo');
  if (sudo && run(sudo, ['-n', 'true']).ok) return { ...manager, words: [sudo, '-n', path] };
  return { ...manager, words: undefined };
}

/** Installs a package when the system can do so without asking; answers whether it did. */
export function installPackage(name, before = () => {}) {
  const manager = packageManager();
  if (!manager || !manager.words) return false;
  before(manager.program);
  const [program, ...words] = manager.words;
  const env = { ...process.env, DEBIAN_FRONTEND: 'noninteractive', HOMEBREW_NO_AUTO_UPDATE: '1' };
  const attempt = () => run(program, [...words, ...manager.install, name], { env }).ok;
  if (attempt()) return true;
  return manager.refresh ? run(program, [...words, ...manager.refresh], { env }).ok && attempt() : false;
}

/** What a person of this system would type to install the package; undefined when we know no way. */
export function commandToInstall(name) {
  const manager = packageManager();
  if (!manager) return undefined;
  return [...(manager.root ? ['sudo'] : []), manager.program, manager.install[0], name].join(' ');
}
