CREATE TABLE "completions" (
	"id" text NOT NULL,
	"choice" integer NOT NULL,
	"model" text NOT NULL,
	"revision" text NOT NULL,
	"request" jsonb NOT NULL,
	"requested" jsonb NOT NULL,
	"applied" jsonb NOT NULL,
	"measured" jsonb,
	"seed" bigint NOT NULL,
	"reply" text NOT NULL,
	"finish_reason" text NOT NULL,
	"prompt_tokens" integer NOT NULL,
	"completion_tokens" integer NOT NULL,
	"created_at" timestamp with time zone DEFAULT now() NOT NULL,
	CONSTRAINT "completions_id_choice_pk" PRIMARY KEY("id","choice")
);
--> statement-breakpoint
CREATE TABLE "datasets" (
	"id" uuid PRIMARY KEY DEFAULT gen_random_uuid() NOT NULL,
	"name" text NOT NULL,
	"format" text NOT NULL,
	"schema" jsonb,
	"hash" text NOT NULL,
	"sample_count" integer NOT NULL,
	"conversation_count" integer NOT NULL,
	"created_at" timestamp with time zone DEFAULT now() NOT NULL,
	CONSTRAINT "datasets_name_unique" UNIQUE("name")
);
--> statement-breakpoint
CREATE TABLE "labels" (
	"id" bigint PRIMARY KEY GENERATED ALWAYS AS IDENTITY (sequence name "labels_id_seq" INCREMENT BY 1 MINVALUE 1 MAXVALUE 9223372036854775807 START WITH 1 CACHE 1),
	"sample_id" bigint NOT NULL,
	"turn" integer NOT NULL,
	"attribute" text NOT NULL,
	"value" double precision NOT NULL,
	"level" smallint NOT NULL,
	"probabilities" real[],
	"confidence" real,
	"source" text NOT NULL,
	"author" text NOT NULL,
	"revision" text,
	"created_at" timestamp with time zone DEFAULT now() NOT NULL,
	CONSTRAINT "labels_source" CHECK ("labels"."source" in ('human', 'model', 'import', 'rule'))
);
--> statement-breakpoint
CREATE TABLE "models" (
	"name" text NOT NULL,
	"revision" text NOT NULL,
	"kind" text NOT NULL,
	"schema" jsonb,
	"base" text,
	"recipe" jsonb,
	"report" jsonb,
	"created_at" timestamp with time zone DEFAULT now() NOT NULL,
	CONSTRAINT "models_name_revision_pk" PRIMARY KEY("name","revision"),
	CONSTRAINT "models_kind" CHECK ("models"."kind" in ('base', 'predictor', 'steered'))
);
--> statement-breakpoint
CREATE TABLE "samples" (
	"id" bigint PRIMARY KEY GENERATED ALWAYS AS IDENTITY (sequence name "samples_id_seq" INCREMENT BY 1 MINVALUE 1 MAXVALUE 9223372036854775807 START WITH 1 CACHE 1),
	"dataset_id" uuid NOT NULL,
	"position" integer NOT NULL,
	"conversation" text NOT NULL,
	"split" text NOT NULL,
	"messages" jsonb,
	"text" text,
	"content_hash" text NOT NULL,
	"source" text,
	CONSTRAINT "samples_split" CHECK ("samples"."split" in ('train', 'validation')),
	CONSTRAINT "samples_content_kind" CHECK (num_nonnulls("samples"."messages", "samples"."text") = 1)
);
--> statement-breakpoint
ALTER TABLE "labels" ADD CONSTRAINT "labels_sample_id_samples_id_fk" FOREIGN KEY ("sample_id") REFERENCES "public"."samples"("id") ON DELETE cascade ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "samples" ADD CONSTRAINT "samples_dataset_id_datasets_id_fk" FOREIGN KEY ("dataset_id") REFERENCES "public"."datasets"("id") ON DELETE cascade ON UPDATE no action;--> statement-breakpoint
CREATE INDEX "completions_created" ON "completions" USING btree ("created_at");--> statement-breakpoint
CREATE INDEX "completions_model" ON "completions" USING btree ("model","revision");--> statement-breakpoint
CREATE INDEX "labels_latest" ON "labels" USING btree ("sample_id","turn","attribute","id");--> statement-breakpoint
CREATE UNIQUE INDEX "samples_position" ON "samples" USING btree ("dataset_id","position");--> statement-breakpoint
CREATE INDEX "samples_content" ON "samples" USING btree ("content_hash");