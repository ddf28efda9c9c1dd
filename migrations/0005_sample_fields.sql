ALTER TABLE "samples" ADD COLUMN "preference" text;--> statement-breakpoint
ALTER TABLE "samples" ADD COLUMN "fields" text;