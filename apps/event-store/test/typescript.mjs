// Imported first (`node --import`), it lets plain node run the TypeScript sources, so that tests start a real server
// without a build.
import { register } from 'node:module';

register('./typescript-hooks.mjs', import.meta.url);
