import { BatonError } from '#platform';

/** What stands in the way of a command on this machine: the sentence names it and the way out. */
export class Obstacle extends BatonError {
  readonly code = 'obstacle';
  readonly remedy = 'tell';
}

/** A program that we ran has failed and has said why itself: nothing is to be added. */
export class AlreadyTold extends BatonError {
  readonly code = 'already-told';
  readonly remedy = 'tell';

  constructor(readonly exitCode: number) {
    super('A program that was run for this command has failed.');
  }
}
