/** Tells of a unit's progress: deltas, at most four times a second. */
import type { Progress } from '../contract/deps.ts';

const intervalMs = 250;

export interface MeterReading {
  readonly rawBytes: number;
  readonly rows: number;
  readonly storedBytes: number;
}

export class ProgressMeter {
  readonly #unit: number;
  readonly #emit: (event: Progress) => void;
  readonly #timer: NodeJS.Timeout;
  #told: MeterReading = { rawBytes: 0, rows: 0, storedBytes: 0 };
  #read: () => MeterReading & { readonly table: string };

  /** @param read the totals of the unit so far */
  constructor(
    unit: number,
    emit: (event: Progress) => void,
    read: () => MeterReading & { readonly table: string },
  ) {
    this.#unit = unit;
    this.#emit = emit;
    this.#read = read;
    this.#timer = setInterval(() => this.#tell(), intervalMs);
    this.#timer.unref();
  }

  stop(): void {
    clearInterval(this.#timer);
    this.#tell();
  }

  #tell(): void {
    const { table, ...now } = this.#read();
    const rawBytes = now.rawBytes - this.#told.rawBytes;
    const rows = now.rows - this.#told.rows;
    const storedBytes = now.storedBytes - this.#told.storedBytes;
    if (rawBytes === 0 && rows === 0 && storedBytes === 0) return;
    this.#told = now;
    this.#emit({ state: 'DumpUnit', unit: this.#unit, table, rawBytes, rows, storedBytes });
  }
}
