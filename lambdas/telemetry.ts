/**
 * Logs and metrics of a function: one line of JSON per call and what was worth telling on the way; metrics in the
 * embedded format of CloudWatch, which are log lines too, so that a function that is killed has told what it knew.
 *
 * Invariant: no secret leaves: every text of a line is masked.
 */
import { Logger } from '@aws-lambda-powertools/logger';
import { Metrics } from '@aws-lambda-powertools/metrics';
import type { Deps, Progress } from '../core/contract/deps.ts';
import { metricNamespace, metrics as metricUnits } from '../core/contract/metrics.ts';
import { maskSecrets } from '../core/mask-secrets.ts';

export interface Telemetry {
  readonly logger: Logger;
  readonly metric: NonNullable<Deps['metric']>;
  readonly progress: (event: Progress) => void;
}

/** @param environment name of it, a dimension of every metric: two environments of an account are told apart */
export function openTelemetry(name: string, environment: string): Telemetry {
  const logger = new Logger({
    serviceName: name,
    persistentKeys: { environment },
    jsonReplacerFn: (_, value) => (typeof value === 'string' ? maskSecrets(value) : value),
  });
  const all = new Metrics({ namespace: metricNamespace, serviceName: name });
  return {
    logger,
    metric(metric, value, dimensions) {
      const one = all.singleMetric();
      // Powertools adds the service by itself; an alarm asks for exactly the dimensions that a metric has.
      one.clearDefaultDimensions();
      one.setTimestamp(Date.now());
      for (const [key, text] of Object.entries({ ...dimensions, environment })) {
        one.addDimension(key, text);
      }
      one.addMetric(metric, metricUnits[metric], value);
    },
    progress(event) {
      // Bytes and rows come many times a second, messages when something is out of the ordinary.
      if (event.message === undefined) logger.debug('progress', { progress: event });
      else logger.info(event.message, { progress: event });
    },
  };
}
