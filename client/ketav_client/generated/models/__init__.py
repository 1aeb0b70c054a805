"""Contains all the data models used in inputs/outputs"""

from .account import Account
from .audit_entry import AuditEntry
from .audit_list import AuditList
from .card import Card
from .changed_line import ChangedLine
from .correct_line_response import CorrectLineResponse
from .corrected_line import CorrectedLine
from .corrected_line_region import CorrectedLineRegion
from .create_job_request import CreateJobRequest
from .document_page import DocumentPage
from .document_page_state import DocumentPageState
from .erasure import Erasure
from .expected_gain import ExpectedGain
from .expected_gain_basis import ExpectedGainBasis
from .export_format import ExportFormat
from .export_project_format import ExportProjectFormat
from .field_problem import FieldProblem
from .get_project_fields import GetProjectFields
from .get_readiness_script_type_0 import GetReadinessScriptType0
from .hand_change import HandChange
from .health import Health
from .health_status import HealthStatus
from .iiif_link import IIIFLink
from .image import Image
from .image_warning import ImageWarning
from .import_ground_truth_body import ImportGroundTruthBody
from .import_ground_truth_body_confirm import ImportGroundTruthBodyConfirm
from .import_ground_truth_response import ImportGroundTruthResponse
from .imported_file import ImportedFile
from .imported_file_state import ImportedFileState
from .imported_line import ImportedLine
from .imported_line_state import ImportedLineState
from .job import Job
from .job_export import JobExport
from .job_kind import JobKind
from .job_list import JobList
from .job_page import JobPage
from .job_page_error import JobPageError
from .job_page_state import JobPageState
from .job_state import JobState
from .job_summary import JobSummary
from .job_summary_kind import JobSummaryKind
from .job_summary_state import JobSummaryState
from .key import Key
from .limits import Limits
from .line import Line
from .line_correction import LineCorrection
from .line_region import LineRegion
from .list_corrections_response import ListCorrectionsResponse
from .list_progress_script_type_0 import ListProgressScriptType0
from .member import Member
from .member_list import MemberList
from .member_role import MemberRole
from .merged_lines import MergedLines
from .model import Model
from .model_kind import ModelKind
from .model_list import ModelList
from .model_progress import ModelProgress
from .model_record import ModelRecord
from .model_record_kind import ModelRecordKind
from .model_record_script_type_0 import ModelRecordScriptType0
from .model_record_state import ModelRecordState
from .model_version import ModelVersion
from .model_version_kind import ModelVersionKind
from .model_version_script_type_0 import ModelVersionScriptType0
from .model_version_state import ModelVersionState
from .new_correction import NewCorrection
from .new_line import NewLine
from .new_link import NewLink
from .new_project import NewProject
from .new_project_script_type_0 import NewProjectScriptType0
from .next_line import NextLine
from .next_line_list import NextLineList
from .ocr_accepted_response import OcrAcceptedResponse
from .ocr_accepted_response_state import OcrAcceptedResponseState
from .ocr_document_response import OcrDocumentResponse
from .ocr_response import OcrResponse
from .page import Page
from .page_error import PageError
from .page_layout import PageLayout
from .page_progress import PageProgress
from .page_progress_script import PageProgressScript
from .page_state import PageState
from .problem import Problem
from .problems import Problems
from .project import Project
from .project_change import ProjectChange
from .project_change_script_type_0 import ProjectChangeScriptType0
from .project_list import ProjectList
from .project_role import ProjectRole
from .project_script import ProjectScript
from .project_with_images import ProjectWithImages
from .project_with_images_role import ProjectWithImagesRole
from .project_with_images_script import ProjectWithImagesScript
from .quarantine import Quarantine
from .quarantine_code import QuarantineCode
from .quarantined_line import QuarantinedLine
from .quarantined_line_code import QuarantinedLineCode
from .readiness import Readiness
from .refused_line import RefusedLine
from .renamed_hand import RenamedHand
from .run_ocr_body import RunOcrBody
from .run_ocr_body_layout import RunOcrBodyLayout
from .run_ocr_body_rotate import RunOcrBodyRotate
from .run_ocr_body_script import RunOcrBodyScript
from .script_readiness import ScriptReadiness
from .script_readiness_script import ScriptReadinessScript
from .script_readiness_waits_for_type_0 import ScriptReadinessWaitsForType0
from .search_hit import SearchHit
from .search_match import SearchMatch
from .search_result import SearchResult
from .services import Services
from .session import Session
from .set_member_request import SetMemberRequest
from .set_member_request_role import SetMemberRequestRole
from .set_training_policy_request import SetTrainingPolicyRequest
from .set_webhook_request import SetWebhookRequest
from .split_line import SplitLine
from .start_training_request import StartTrainingRequest
from .start_training_response import StartTrainingResponse
from .start_training_response_state import StartTrainingResponseState
from .stored_correction import StoredCorrection
from .stored_correction_origin import StoredCorrectionOrigin
from .submit_corrections_request import SubmitCorrectionsRequest
from .submit_corrections_response import SubmitCorrectionsResponse
from .test_delivery import TestDelivery
from .training_policy import TrainingPolicy
from .training_run import TrainingRun
from .training_run_list import TrainingRunList
from .training_run_script import TrainingRunScript
from .training_run_state import TrainingRunState
from .transcription import Transcription
from .unaligned import Unaligned
from .untrained_line import UntrainedLine
from .verified_word import VerifiedWord
from .version_progress import VersionProgress
from .version_progress_script import VersionProgressScript
from .webhook import Webhook
from .webhook_delivery import WebhookDelivery
from .webhook_delivery_state import WebhookDeliveryState
from .webhook_with_secret import WebhookWithSecret
from .withdraw_correction_response import WithdrawCorrectionResponse
from .word import Word

__all__ = (
    "Account",
    "AuditEntry",
    "AuditList",
    "Card",
    "ChangedLine",
    "CorrectedLine",
    "CorrectedLineRegion",
    "CorrectLineResponse",
    "CreateJobRequest",
    "DocumentPage",
    "DocumentPageState",
    "Erasure",
    "ExpectedGain",
    "ExpectedGainBasis",
    "ExportFormat",
    "ExportProjectFormat",
    "FieldProblem",
    "GetProjectFields",
    "GetReadinessScriptType0",
    "HandChange",
    "Health",
    "HealthStatus",
    "IIIFLink",
    "Image",
    "ImageWarning",
    "ImportedFile",
    "ImportedFileState",
    "ImportedLine",
    "ImportedLineState",
    "ImportGroundTruthBody",
    "ImportGroundTruthBodyConfirm",
    "ImportGroundTruthResponse",
    "Job",
    "JobExport",
    "JobKind",
    "JobList",
    "JobPage",
    "JobPageError",
    "JobPageState",
    "JobState",
    "JobSummary",
    "JobSummaryKind",
    "JobSummaryState",
    "Key",
    "Limits",
    "Line",
    "LineCorrection",
    "LineRegion",
    "ListCorrectionsResponse",
    "ListProgressScriptType0",
    "Member",
    "MemberList",
    "MemberRole",
    "MergedLines",
    "Model",
    "ModelKind",
    "ModelList",
    "ModelProgress",
    "ModelRecord",
    "ModelRecordKind",
    "ModelRecordScriptType0",
    "ModelRecordState",
    "ModelVersion",
    "ModelVersionKind",
    "ModelVersionScriptType0",
    "ModelVersionState",
    "NewCorrection",
    "NewLine",
    "NewLink",
    "NewProject",
    "NewProjectScriptType0",
    "NextLine",
    "NextLineList",
    "OcrAcceptedResponse",
    "OcrAcceptedResponseState",
    "OcrDocumentResponse",
    "OcrResponse",
    "Page",
    "PageError",
    "PageLayout",
    "PageProgress",
    "PageProgressScript",
    "PageState",
    "Problem",
    "Problems",
    "Project",
    "ProjectChange",
    "ProjectChangeScriptType0",
    "ProjectList",
    "ProjectRole",
    "ProjectScript",
    "ProjectWithImages",
    "ProjectWithImagesRole",
    "ProjectWithImagesScript",
    "Quarantine",
    "QuarantineCode",
    "QuarantinedLine",
    "QuarantinedLineCode",
    "Readiness",
    "RefusedLine",
    "RenamedHand",
    "RunOcrBody",
    "RunOcrBodyLayout",
    "RunOcrBodyRotate",
    "RunOcrBodyScript",
    "ScriptReadiness",
    "ScriptReadinessScript",
    "ScriptReadinessWaitsForType0",
    "SearchHit",
    "SearchMatch",
    "SearchResult",
    "Services",
    "Session",
    "SetMemberRequest",
    "SetMemberRequestRole",
    "SetTrainingPolicyRequest",
    "SetWebhookRequest",
    "SplitLine",
    "StartTrainingRequest",
    "StartTrainingResponse",
    "StartTrainingResponseState",
    "StoredCorrection",
    "StoredCorrectionOrigin",
    "SubmitCorrectionsRequest",
    "SubmitCorrectionsResponse",
    "TestDelivery",
    "TrainingPolicy",
    "TrainingRun",
    "TrainingRunList",
    "TrainingRunScript",
    "TrainingRunState",
    "Transcription",
    "Unaligned",
    "UntrainedLine",
    "VerifiedWord",
    "VersionProgress",
    "VersionProgressScript",
    "Webhook",
    "WebhookDelivery",
    "WebhookDeliveryState",
    "WebhookWithSecret",
    "WithdrawCorrectionResponse",
    "Word",
)
