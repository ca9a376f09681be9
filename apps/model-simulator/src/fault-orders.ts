import type { ServerResponse } from 'node:http';
import { invalid } from './api-error.js';
import { type ArmedFaults, FaultOrder } from './faults.js';
import type { Incoming } from './messages-api.js';
import { sendJson } from './send.js';

/** Orders of faults at run time: `POST` adds one, `GET` shows what is left of them, `DELETE` takes all back. */
export function faultsEndpoint(armed: ArmedFaults) {
  const show = ({ requestId }: Incoming, response: ServerResponse): void =>
    sendJson(response, 200, { faults: armed.list }, { 'request-id': requestId });
  return {
    GET: show,
    POST: (incoming: Incoming, response: ServerResponse): void => {
      const order = FaultOrder.safeParse(incoming.body);
      if (!order.success) {
        const faults = order.error.issues.map(({ path, message }) => `${path.join('.') || 'order'}: ${message}`);
        throw invalid(`The model simulator cannot play this fault: ${faults.join('; ')}`);
      }
      armed.order(order.data);
      show(incoming, response);
    },
    DELETE: (incoming: Incoming, response: ServerResponse): void => {
      armed.clear();
      show(incoming, response);
    },
  };
}
