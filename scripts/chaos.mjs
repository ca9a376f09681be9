import { inRoot } from './setup/places.mjs';
import { setUpOrSay } from './setup.mjs';

if (await setUpOrSay()) await import(inRoot('dist', 'chaos', 'main.js'));
else process.exitCode = 1;
