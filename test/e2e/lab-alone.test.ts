import { playAlone } from "./lab-share.ts";

playAlone();
