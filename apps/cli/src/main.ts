import { exitWhenDone } from '#platform';
import { COMMANDS } from './commands/all.js';
import { readEnvironment } from './config.js';
import { Output } from './output.js';
import { runProgram } from './program.js';

exitWhenDone();
const output = new Output();
try {
  process.exitCode = await runProgram(COMMANDS, { environment: readEnvironment(), output }, process.argv.slice(2));
} catch (error) {
  output.fail(error);
  process.exitCode = 1;
}
