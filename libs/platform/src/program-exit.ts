/**
 * Ends the program as soon as nothing is left to do, and what it has written is out. Without this Node first takes itself apart: it
 * closes every handle and turns the loop until the last request is answered, and one of a socket that had never been
 * connected never was (v20.20, `Environment::CleanupHandles`): a program that had done its work kept a processor busy for ever.
 */
export function exitWhenDone(): void {
  process.once('beforeExit', () => process.exit());
}
