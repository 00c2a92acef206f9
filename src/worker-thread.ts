// What the worker of pooltrail/worker runs.
import { ownPort } from "./worker/node-threads.ts";
import { serve } from "./worker/serve.ts";

serve(ownPort());
