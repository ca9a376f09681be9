import { BatonError } from '#platform';

/** What stands in the way of a command on this machine: the sentence names it and the way out. */
export class Obstacle extends BatonError {
  readonly code = 'obstacle';
  readonly remedy = 'tell';
}
