import { playShare } from "./lab-share.ts";

playShare(3);
