ALTER TABLE "completions" ADD COLUMN "steering" jsonb;--> statement-breakpoint
ALTER TABLE "completions" ADD COLUMN "spent_tokens" integer;--> statement-breakpoint
ALTER TABLE "completions" ADD COLUMN "created" bigint;