ALTER TABLE "completions" ADD COLUMN "candidates" integer;--> statement-breakpoint
ALTER TABLE "completions" ADD COLUMN "spent_tokens" integer;--> statement-breakpoint
ALTER TABLE "completions" ADD COLUMN "deadline" boolean DEFAULT false NOT NULL;--> statement-breakpoint
ALTER TABLE "completions" ADD COLUMN "created" bigint;