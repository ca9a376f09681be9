import { BatonError } from '#platform';

/** A request goes where it must not go; nothing was sent there. */
export class AddressRefused extends BatonError {
  readonly code = 'address-refused';
  readonly remedy = 'tell';
}

/** No answer came. `sent`: the other side may have the request, and may have acted on it. */
export class NoAnswer extends BatonError {
  readonly code = 'no-answer';
  readonly remedy = 'retry';

  constructor(
    message: string,
    readonly sent: boolean,
    options?: ErrorOptions,
  ) {
    super(message, options);
  }
}

/** A server answered that it does not know the session, and so that it did nothing with the request. */
export class SessionForgotten extends NoAnswer {
  constructor() {
    super('It has forgotten the session.', false);
  }
}
