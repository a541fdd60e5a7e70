/** Ctrl-C in the demo: the first ends it in order, as does its own end; a second one ends it at once. */
import { EventEmitter } from 'node:events';
import type { SignalSource } from '../runtime/lifecycle.ts';

export class DemoSignals implements SignalSource {
  readonly #emitter = new EventEmitter();
  readonly #interrupted = Promise.withResolvers<void>();
  readonly #forward = (): void => {
    this.#interrupted.resolve();
    this.#emitter.emit('SIGTERM');
  };

  constructor() {
    process.on('SIGINT', this.#forward);
    process.on('SIGTERM', this.#forward);
  }

  /** Resolves with the first signal from outside. */
  get interrupted(): Promise<void> {
    return this.#interrupted.promise;
  }

  /** Ends the roles as a signal would, unless one has. */
  end(): void {
    this.#emitter.emit('SIGTERM');
    this.#emitter.removeAllListeners();
  }

  close(): void {
    process.off('SIGINT', this.#forward);
    process.off('SIGTERM', this.#forward);
  }

  on(event: NodeJS.Signals, listener: () => void): this {
    this.#emitter.on(event, listener);
    return this;
  }

  off(event: NodeJS.Signals, listener: () => void): this {
    this.#emitter.off(event, listener);
    return this;
  }
}
