import { readFileSync } from 'node:fs';
import { inRoot } from './places.mjs';
import { SetupError } from './say.mjs';

/** @throws SetupError when this Node is older than package.json allows. */
export function checkNode(version = process.versions.node) {
  const wanted = JSON.parse(readFileSync(inRoot('package.json'), 'utf8')).engines.node.replace('>=', '');
  if (atLeast(version, wanted)) return;
  throw new SetupError(
    `Baton needs Node ${wanted} or newer and this is ${version}: install a current one from https://nodejs.org (or \`nvm install\`) and try again.`,
  );
}

/** Compares dotted versions number by number. */
export function atLeast(version, wanted) {
  const [have, need] = [version, wanted].map((text) => text.split('.').map((part) => Number.parseInt(part, 10) || 0));
  for (let i = 0; i < need.length; i += 1) {
    if ((have[i] || 0) !== need[i]) return (have[i] || 0) > need[i];
  }
  return true;
}
